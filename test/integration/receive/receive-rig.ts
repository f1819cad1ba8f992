import { EventEmitter, once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type {
  AssociationEnd,
  OpenedAssociation,
  ReceivedInstance,
  Verdict,
} from '../../../src/domain/received-instance.js';
import type {
  Catalog,
  CommitmentReports,
  IncomingFiles,
  ReceiveObserver,
  Refusal,
} from '../../../src/receive/needs.js';
import type { Rejection } from '../../../src/receive/pdu.js';
import { DEFAULT_LIMITS, StoreScp, type StoreScpSettings } from '../../../src/receive/store-scp.js';
import { CommitmentStore } from '../../../src/store/commitment-store.js';
import { openCatalog } from '../../../src/store/database.js';
import { Ingest } from '../../../src/store/ingest.js';
import { InstanceFiles } from '../../../src/store/instance-files.js';
import { PerformedStepStore } from '../../../src/store/performed-step-store.js';
import type { TlsProblem } from '../../../src/tls/problem.js';
import { ctElements, dataset, type TestElement } from '../../unit/dicom-header/dataset-bytes.js';

export const silent = pino({ level: 'silent' });

/** A dataset of a CT slice with as many bytes of pixel data. */
export function slice(
  sopInstanceUid: string,
  pixelBytes = 2048,
  ...changes: TestElement[]
): Buffer {
  const pixels = Uint8Array.from({ length: pixelBytes }, (_, i) => (i * 31) % 251);
  return dataset([
    ...ctElements([0x00080018, 'UI', sopInstanceUid], ...changes),
    [0x7fe00010, 'OW', pixels],
  ]);
}

interface Told {
  opened: [OpenedAssociation];
  rejected: [Rejection];
  closed: [AssociationEnd];
  dropped: [];
  connectionRefused: [TlsProblem];
  received: [ReceivedInstance, Verdict];
  refused: [Refusal];
}

/** A receiving node on a free port: the SCP, the archive's files and the catalog, in a temporary folder. */
export class ReceiveRig extends EventEmitter<Told> implements AsyncDisposable {
  readonly folder: string;
  readonly scp: StoreScp;
  readonly ingest: Ingest;
  readonly files: InstanceFiles;
  /** What the SCP logged at level error. */
  readonly errors: readonly string[];

  private constructor(parts: Pick<ReceiveRig, 'folder' | 'scp' | 'ingest' | 'files' | 'errors'>) {
    super();
    this.folder = parts.folder;
    this.scp = parts.scp;
    this.ingest = parts.ingest;
    this.files = parts.files;
    this.errors = parts.errors;
  }

  static async start(
    options: Partial<StoreScpSettings> & {
      minimumFreeBytes?: number;
      files?: IncomingFiles;
      catalog?: Catalog;
      commitmentReports?: CommitmentReports;
    } = {},
  ): Promise<ReceiveRig> {
    const { minimumFreeBytes = 0, files: ownFiles, catalog: ownCatalog, ...rest } = options;
    const { commitmentReports, ...settings } = rest;
    const folder = await mkdtemp(join(tmpdir(), 'vigil-receive-'));
    const files = await InstanceFiles.open(folder, { minimumFreeBytes, log: silent });
    const database = openCatalog(join(folder, 'catalog.db'));
    const ingest = new Ingest({
      catalog: database,
      files,
      onCommit: () => {},
      log: silent,
    });
    let rig: ReceiveRig | undefined;
    const errors: string[] = [];
    const observer: ReceiveObserver = {
      associationOpened: (association) => {
        ingest.associationOpened(association);
        rig?.emit('opened', association);
      },
      associationClosed: (id, end, at) => {
        ingest.associationClosed(id, end, at);
        rig?.emit('closed', end);
      },
      associationRejected: (rejection) => rig?.emit('rejected', rejection),
      connectionDropped: () => rig?.emit('dropped'),
      connectionRefused: (problem) => rig?.emit('connectionRefused', problem),
      instanceReceived: (received, verdict) => rig?.emit('received', received, verdict),
      instanceRefused: (_, refusal) => rig?.emit('refused', refusal),
    };
    const scp = new StoreScp({
      settings: {
        ...DEFAULT_LIMITS,
        host: '127.0.0.1',
        port: 0,
        calledAeTitles: 'any',
        callingAeTitles: 'any',
        allowFrom: 'any',
        access: 'any',
        storageClasses: 'any',
        ...settings,
      },
      files: ownFiles ?? files,
      catalog: ownCatalog ?? ingest,
      commitments: new CommitmentStore({ catalog: database, folder }),
      commitmentReports: commitmentReports ?? { take: () => false },
      steps: new PerformedStepStore(database),
      nextAssociationId: () => ingest.nextAssociationId(),
      observer,
      log: pino({ level: 'error' }, { write: (line) => errors.push(line) }),
    });
    await scp.start();
    rig = new ReceiveRig({ folder, scp, ingest, files, errors });
    return rig;
  }

  get port(): number {
    return this.scp.port;
  }

  /** Resolves with what the next event of that name tells. */
  async told<K extends keyof Told>(name: K): Promise<Told[K]> {
    return (await once(this, name)) as Told[K];
  }

  /** Names of the files in the incoming folder that are not empty. */
  async incoming(): Promise<string[]> {
    const folder = join(this.folder, 'incoming');
    const names = await readdir(folder);
    const sizes = await Promise.all(
      names.map(async (name) => (await stat(join(folder, name))).size),
    );
    return names.filter((_, i) => sizes[i] !== 0);
  }

  /** Resolves when an instance has begun to come: files are made ahead from then on. */
  async begun(): Promise<void> {
    const folder = join(this.folder, 'incoming');
    while ((await readdir(folder)).length === 0) await new Promise(setImmediate);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scp.stop();
    this.ingest.flush();
    await this.files[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }
}
