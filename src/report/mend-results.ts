import { createHash } from 'node:crypto';
import { bytesOf, type MadeObject } from '../domain/result-object.js';
import type { Log } from '../log.js';
import type { ReportWork } from './report-stage.js';

/** A reported analysis, and those of its objects whose files are gone or not what they were. */
export interface DamagedReport<Work extends ReportWork> {
  readonly work: Work;
  readonly objects: readonly DamagedObject[];
  /** Whether no later analysis of the study is there or on its way. */
  readonly isNewest: boolean;
}

export interface DamagedObject {
  readonly sopInstanceUid: string;
  /** Hex SHA-256 of the file as it was made. */
  readonly sha256: string;
  /** When the damage was last seen, ms since the epoch. */
  readonly seenAt: number;
}

/** What mending needs from the catalog. */
export interface DamagedReports<Work extends ReportWork> {
  damaged(): readonly DamagedReport<Work>[];
  /** The object's file is whole again: what could not be sent for it is due. False where the object is gone. */
  mended(sopInstanceUid: string): boolean;
  /** Has a report made that says the same and takes the place of this one. */
  supersede(report: DamagedReport<Work>): void;
}

/**
 * Makes result files anew that are gone or altered. An object is determined by its finding and its source images: the
 * same bytes are written back under the same UID. Where other bytes come out (another version or configuration of the
 * node, a source image that is gone), a PACS may have the first ones: a report of its own supersedes the lost one.
 */
export class ResultMender<Work extends ReportWork> {
  readonly #reports: DamagedReports<Work>;
  readonly #compose: (work: Work) => Promise<readonly MadeObject[]>;
  readonly #write: (studyInstanceUid: string, object: MadeObject) => Promise<unknown>;
  readonly #discard: (studyInstanceUid: string, sopInstanceUid: string) => Promise<void>;
  readonly #log: Log;
  /** When damage was last seen that was tried, by study and revision: the same is tried once. */
  readonly #tried = new Map<string, number>();

  constructor(options: {
    reports: DamagedReports<Work>;
    compose: (work: Work) => Promise<readonly MadeObject[]>;
    /** Resolves when no crash can lose the object's file any more. */
    write: (studyInstanceUid: string, object: MadeObject) => Promise<unknown>;
    discard: (studyInstanceUid: string, sopInstanceUid: string) => Promise<void>;
    log: Log;
  }) {
    this.#reports = options.reports;
    this.#compose = options.compose;
    this.#write = options.write;
    this.#discard = options.discard;
    this.#log = options.log;
  }

  /** One pass; resolves to whether anything was mended or superseded. @throws where disk or catalog take nothing */
  async run(): Promise<boolean> {
    let changed = false;
    for (const report of this.#reports.damaged()) {
      const { studyInstanceUid, revision } = report.work;
      const key = `${studyInstanceUid} ${revision}`;
      const seenAt = Math.max(...report.objects.map((object) => object.seenAt));
      if ((this.#tried.get(key) ?? 0) >= seenAt) continue;
      changed = (await this.#mend(report)) || changed;
      this.#tried.set(key, seenAt);
    }
    return changed;
  }

  async #mend(report: DamagedReport<Work>): Promise<boolean> {
    const { work, objects, isNewest } = report;
    const { studyInstanceUid, revision } = work;
    const fields = { studyInstanceUid, revision };
    let made: ReadonlyMap<string, MadeObject>;
    try {
      made = new Map((await this.#compose(work)).map((one) => [one.sopInstanceUid, one]));
    } catch (error) {
      this.#log.error({ err: error, ...fields }, 'damaged results cannot be made again');
      return false;
    }
    let mended = 0;
    for (const { sopInstanceUid, sha256 } of objects) {
      const object = made.get(sopInstanceUid);
      if (object === undefined || sha256Of(bytesOf(object)) !== sha256) continue;
      await this.#write(studyInstanceUid, object);
      // Retention may have removed the study meanwhile.
      if (!this.#reports.mended(sopInstanceUid)) {
        await this.#discard(studyInstanceUid, sopInstanceUid);
      }
      mended += 1;
    }
    if (mended > 0) this.#log.info({ ...fields, mended }, 'damaged results were made again');
    if (mended === objects.length) return true;
    if (!isNewest) {
      this.#log.error(fields, 'damaged results cannot be made as they were; a later report stands');
      return mended > 0;
    }
    this.#reports.supersede(report);
    this.#log.warn(fields, 'damaged results cannot be made as they were: a new report follows');
    return true;
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
