import { pino } from 'pino';
import { DEFAULT_LIMITS, StoreScp } from '../../src/receive/store-scp.js';

const refuseStep = (): never => {
  throw new Error('Only images are sent here');
};

/** Vigil's Storage SCP that reads every PDU and keeps nothing: what is left when storage costs no time. Takes a port. */
const scp = new StoreScp({
  settings: {
    ...DEFAULT_LIMITS,
    host: '127.0.0.1',
    port: Number(process.argv[2]),
    calledAeTitles: 'any',
    callingAeTitles: 'any',
    allowFrom: 'any',
    access: 'any',
    storageClasses: 'any',
  },
  files: {
    create: () => ({
      write: () => undefined,
      finish: async () => ({ file: '', sha256: '', bytes: 0, receivedAt: 0 }),
      discard: async () => undefined,
    }),
  },
  catalog: { accept: () => 'stored' },
  commitments: { accept: () => 'too-many-pending' },
  commitmentReports: { take: () => false },
  steps: { create: refuseStep, change: refuseStep },
  nextAssociationId: () => 1,
  log: pino({ level: 'error' }),
});
await scp.start();
