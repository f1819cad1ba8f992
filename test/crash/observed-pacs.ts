import { createHash } from 'node:crypto';
import dicomParser from 'dicom-parser';
import { encodeFileMeta } from '../../src/dicom/file-meta.js';
import { SimulatedPacs } from '../../src/simulate/pacs.js';
import type { IncomingObject } from '../../src/simulate/pacs-association.js';

/** What a PACS was sent under one SOP Instance UID. */
export interface SentResult {
  readonly studyInstanceUid: string;
  readonly sopClassUid: string;
  /** How often. */
  times: number;
  /** Hex SHA-256 of each dataset that came: one, where the repeats are what they should be. */
  readonly sha256: Set<string>;
}

/** A PACS that outlives the node and keeps account of what it was sent, how often and with which bytes. */
export class ObservedPacs implements AsyncDisposable {
  /** By SOP Instance UID. */
  readonly results = new Map<string, SentResult>();
  readonly #pacs: SimulatedPacs;

  constructor(folder: string) {
    this.#pacs = new SimulatedPacs({
      folder,
      aeTitle: 'PACS',
      answer: (object) => {
        this.#note(object);
        return undefined;
      },
    });
  }

  get port(): number {
    return this.#pacs.port;
  }

  start(): Promise<void> {
    return this.#pacs.start();
  }

  /** The studies of which anything was sent. */
  get studies(): ReadonlySet<string> {
    return new Set([...this.results.values()].map(({ studyInstanceUid }) => studyInstanceUid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pacs.stop();
  }

  #note(object: IncomingObject): void {
    const { sopInstanceUid, sopClassUid, bytes } = object;
    let result = this.results.get(sopInstanceUid);
    if (result === undefined) {
      const part10 = Buffer.concat([encodeFileMeta(object), bytes]);
      const dataset = dicomParser.parseDicom(part10, { untilTag: 'x0020000d' });
      const studyInstanceUid = dataset.string('x0020000d') ?? '';
      result = { studyInstanceUid, sopClassUid, times: 0, sha256: new Set() };
      this.results.set(sopInstanceUid, result);
    }
    result.times += 1;
    result.sha256.add(createHash('sha256').update(bytes).digest('hex'));
  }
}
