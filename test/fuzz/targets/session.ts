import { Socket } from 'node:net';
import { pino } from 'pino';
import {
  MODALITY_PERFORMED_PROCEDURE_STEP,
  STORAGE_COMMITMENT_PUSH_MODEL,
} from '../../../src/dicom/sop-classes.js';
import { Association } from '../../../src/receive/association.js';
import { AssociationPolicy } from '../../../src/receive/association-policy.js';
import { commitmentService } from '../../../src/receive/commitment-operation.js';
import { CommandField } from '../../../src/receive/dimse.js';
import { eventReportService } from '../../../src/receive/event-report-operation.js';
import { echo } from '../../../src/receive/operation.js';
import {
  createStepService,
  setStepService,
} from '../../../src/receive/performed-step-operation.js';
import { storeService } from '../../../src/receive/store-operation.js';
import { DEFAULT_LIMITS, MAXIMUM_ASSOCIATE_LENGTH } from '../../../src/receive/store-scp.js';
import { random, split } from '../../unit/receive/pdu-bytes.js';

/** Stands for a patient in every well-formed input; what Vigil says or logs must never hold it. */
export const PATIENT = 'CANARY';

const logged: string[] = [];
const log = pino({ level: 'trace' }, { write: (line) => logged.push(line) });

/** How a session's bytes come in, and whether the peer reads its answers at once. */
export interface Delivery {
  /** 0 for one piece, 1 for single bytes; others are seeds of random cuts. */
  readonly cuts: number;
  readonly readsSlowly: boolean;
}

/**
 * One connection from its first byte to its end, through the upper layer and the services behind it, without a network
 * and without a disk.
 * @throws Error where a promise is broken
 */
export async function runSession(bytes: Buffer, delivery: Delivery): Promise<void> {
  logged.length = 0;
  const open = { associations: 0, files: 0 };
  const files = {
    create: () => {
      open.files += 1;
      let isOpen = true;
      const settle = () => {
        if (isOpen) open.files -= 1;
        isOpen = false;
      };
      return {
        write: () => undefined,
        finish: async () => {
          settle();
          return { file: '', sha256: '', bytes: 0, receivedAt: 0 };
        },
        discard: async () => settle(),
      };
    },
  };
  const observer = {
    associationOpened: () => {
      open.associations += 1;
    },
    associationClosed: () => {
      open.associations -= 1;
    },
  };
  const policy = new AssociationPolicy({
    ...DEFAULT_LIMITS,
    calledAeTitles: 'any',
    callingAeTitles: 'any',
    allowFrom: 'any',
    access: 'any',
    storageClasses: 'any',
  });
  const { maximumHeaderBytes, maximumDatasetBytes } = DEFAULT_LIMITS;
  const store = storeService({
    files,
    catalog: { accept: () => 'stored' },
    observer,
    log,
    maximumHeaderBytes,
    maximumDatasetBytes,
    keeps: (uid) => policy.keeps(uid),
  });
  const socket = new PeerSocket(delivery.readsSlowly);
  const steps = { create: () => 'taken' as const, change: () => 'taken' as const };
  const association = new Association({
    socket,
    limits: { ...DEFAULT_LIMITS, maximumAssociateLength: MAXIMUM_ASSOCIATE_LENGTH },
    services: [
      { commandField: CommandField.CEchoRq, service: echo },
      { commandField: CommandField.CStoreRq, service: store },
      {
        commandField: CommandField.NActionRq,
        sopClassUid: STORAGE_COMMITMENT_PUSH_MODEL,
        service: commitmentService({ accept: () => 'accepted' }, log),
      },
      {
        commandField: CommandField.NEventReportRq,
        sopClassUid: STORAGE_COMMITMENT_PUSH_MODEL,
        service: eventReportService({ take: () => true }, log),
      },
      {
        commandField: CommandField.NCreateRq,
        sopClassUid: MODALITY_PERFORMED_PROCEDURE_STEP,
        service: createStepService(steps, log),
      },
      {
        commandField: CommandField.NSetRq,
        sopClassUid: MODALITY_PERFORMED_PROCEDURE_STEP,
        service: setStepService(steps, log),
      },
    ],
    decide: (request) =>
      policy.decide(request, { isWaiting: () => true, address: '127.0.0.1' }, () => ({
        all: 0,
        fromAddress: 0,
      })),
    nextAssociationId: () => 1,
    observer,
    log,
    now: () => 0,
  });
  association.start();
  for (const piece of pieces(bytes, delivery.cuts)) {
    if (socket.destroyed) break;
    socket.emit('data', piece);
    await socket.untilFlowing();
  }
  const closed = new Promise((resolve) => socket.once('close', resolve));
  if (!socket.closed) {
    socket.destroy();
    await closed;
  }
  await turn();
  checkLog(logged);
  if (open.associations !== 0) throw new Error('An association was not closed');
  if (open.files !== 0) throw new Error('A file was left open');
  checkAnswers(Buffer.concat(socket.answers));
}

function pieces(bytes: Buffer, cuts: number): Buffer[] {
  if (cuts === 0) return [bytes];
  const longest = cuts === 1 ? 1 : 2 ** (1 + (cuts % 13));
  return split(bytes, random(cuts), Math.max(longest, bytes.length / 20_000));
}

/** What a peer does wrong is a warning: an error of ours is a fault. */
function checkLog(lines: readonly string[]): void {
  for (const line of lines) {
    if (line.includes(PATIENT)) throw new Error('The log holds a patient');
    const { level } = JSON.parse(line) as { level: number };
    if (level >= (pino.levels.values['error'] ?? 0))
      throw new Error(`The peer caused an error: ${line}`);
  }
}

/** An A-ASSOCIATE-AC gives back the AE titles of its request up to here, whatever they are (PS3.8 Table 9-17). */
const ECHOED = 42;

/** Whole PDUs that an acceptor sends, without a patient. */
function checkAnswers(answers: Buffer): void {
  for (let at = 0; at < answers.length; ) {
    const type = answers.readUInt8(at);
    if (![0x02, 0x03, 0x04, 0x06, 0x07].includes(type)) throw new Error(`A PDU of type ${type}`);
    const end = at + 6 + answers.readUInt32BE(at + 2);
    if (end > answers.length) throw new Error('A PDU is cut off');
    const own = answers.subarray(type === 0x02 ? at + ECHOED : at, end);
    if (own.includes(PATIENT)) throw new Error('An answer holds a patient');
    at = end;
  }
}

/** A turn of the event loop: promises of the session have run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const MOST_TURNS = 100_000;

/** A connected socket without a network: what is emitted was received, what is written is kept. */
class PeerSocket extends Socket {
  readonly answers: Buffer[] = [];
  readonly #readsSlowly: boolean;
  override writableNeedDrain = false;

  constructor(readsSlowly: boolean) {
    super();
    this.#readsSlowly = readsSlowly;
  }

  override write(bytes: Uint8Array | string): boolean {
    this.answers.push(Buffer.from(bytes as Uint8Array));
    if (!this.#readsSlowly) return true;
    if (!this.writableNeedDrain) {
      this.writableNeedDrain = true;
      setImmediate(() => {
        this.writableNeedDrain = false;
        this.emit('drain');
      });
    }
    return false;
  }

  /** As a peer is held up while the other side does not read. */
  async untilFlowing(): Promise<void> {
    for (let turns = 0; this.isPaused() && !this.destroyed; turns += 1) {
      if (turns > MOST_TURNS) throw new Error('The connection stays paused');
      await turn();
    }
  }
}
