import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pino } from 'pino';
import type { InstanceHeader } from '../../../src/domain/instance.js';
import type { ReceivedInstance } from '../../../src/domain/received-instance.js';
import { type Catalog, openCatalog } from '../../../src/store/database.js';
import { Ingest, type Placement } from '../../../src/store/ingest.js';
import type { CommittedChange } from '../../../src/store/ingest-rows.js';
import { ReceivingStore } from '../../../src/store/receiving-store.js';
import { SelectionStore } from '../../../src/store/selection-store.js';
import { SeriesStore } from '../../../src/store/series-store.js';

export const silent = pino({ level: 'silent' });

export const instancePath = (header: InstanceHeader) =>
  `instances/${header.studyInstanceUid}/${header.seriesInstanceUid}/${header.sopInstanceUid}.dcm`;

/** A catalog in a temporary folder with real files, filled slice by slice. */
export class StoreRig implements AsyncDisposable {
  readonly folder: string;
  readonly catalog: Catalog;
  readonly ingest: Ingest;
  readonly series: SeriesStore;
  readonly receiving: ReceivingStore;
  readonly selections: SelectionStore;
  readonly changes: CommittedChange[] = [];
  #files = 0;

  private constructor(folder: string) {
    this.folder = folder;
    this.catalog = openCatalog(join(folder, 'catalog.db'));
    this.series = new SeriesStore(this.catalog, folder);
    this.receiving = new ReceivingStore(this.catalog, folder, this.series);
    this.selections = new SelectionStore(this.catalog, this.series);
    this.ingest = new Ingest({
      catalog: this.catalog,
      files: this.placement,
      onCommit: (change) => {
        this.receiving.committed(change, instancePath);
        this.changes.push(change);
      },
      log: silent,
    });
  }

  static async open(): Promise<StoreRig> {
    return new StoreRig(await mkdtemp(join(tmpdir(), 'vigil-store-')));
  }

  get placement(): Placement {
    return {
      instancePath,
      conflictPath: (header, sha256) => `conflicts/${header.sopInstanceUid}.${sha256}.dcm`,
      isSameImage: (one, other) =>
        readFileSync(resolve(this.folder, one), 'utf8').split('|').at(-1) ===
        readFileSync(resolve(this.folder, other), 'utf8').split('|').at(-1),
      makeRoom: (path) => mkdirSync(dirname(join(this.folder, path)), { recursive: true }),
      place: (file, path) => {
        const to = join(this.folder, path);
        if (!existsSync(file)) return;
        mkdirSync(dirname(to), { recursive: true });
        renameSync(file, to);
      },
      replace: (file, path) => renameSync(file, join(this.folder, path)),
      isPlaced: (path) => existsSync(join(this.folder, path)),
      discard: (file) => rmSync(file),
    };
  }

  /** A received slice with its file in the incoming folder; `content` stands for the bytes, and what is behind a bar in it for the pixels. */
  received(
    name: { study?: string; series?: string; sop: string; patient?: string },
    content = 'a',
  ) {
    const folder = join(this.folder, 'incoming');
    mkdirSync(folder, { recursive: true });
    this.#files += 1;
    const file = join(folder, `${this.#files}.dcm`);
    writeFileSync(file, content);
    const received: ReceivedInstance = {
      header: {
        sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
        sopInstanceUid: name.sop,
        studyInstanceUid: name.study ?? '1.1',
        seriesInstanceUid: name.series ?? '1.1.1',
        transferSyntaxUid: '1.2.840.10008.1.2.1',
        patient: { id: name.patient ?? 'patient' },
        modality: 'CT',
        imageType: [],
        frames: [{}],
      },
      file,
      sha256: content,
      bytes: content.length,
      associationId: 1,
      callingAeTitle: 'SCANNER',
      calledAeTitle: 'VIGIL',
      receivedAt: Date.now(),
    };
    return received;
  }

  rows(query: string): unknown[] {
    return this.catalog.prepare(query).all();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ingest.flush();
    this.catalog.close();
    await rm(this.folder, { recursive: true });
  }
}
