import { type ScheduledTask, schedule } from 'node-cron';
import type { Settings } from './config/settings.js';
import { backoff } from './domain/backoff.js';
import type { Log } from './log.js';
import type { CatalogChecker } from './store/catalog-checker.js';
import { type Catalog, maintainCatalog } from './store/database.js';
import type { Retention } from './store/retention.js';
import type { Verifier } from './store/verifier.js';

export interface UpkeepParts {
  readonly catalog: Catalog;
  readonly checker: CatalogChecker;
  readonly retention: Retention;
  readonly verifier: Verifier;
  /** Asked whenever a task begins, so that a changed configuration counts at once. */
  readonly settings: () => Pick<Settings, 'retention' | 'verify'>;
  readonly log: Log;
}

/** What the node does by the clock: removes old studies, keeps up its catalog, checks the catalog and every file. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #tasks: ScheduledTask[] = [];
  #verifying: { readonly done: Promise<void>; readonly stop: AbortController } | undefined;
  /** What checks a study now, or waits to check it again, by Study Instance UID. */
  readonly #suspects = new Map<string, Suspect>();
  readonly #stopped = new AbortController();

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  /** Also checks a catalog that was too large for it before, and takes up a check of the files that was cut off. */
  start(): void {
    this.reschedule();
    if (!this.#parts.checker.isSmall) void this.#parts.checker.check();
    if (this.#parts.verifier.isUnfinished()) this.#verify();
    for (const uid of this.#parts.verifier.unreadableStudies()) this.suspect(uid);
  }

  /**
   * A stage found a file of the study missing, altered or unreadable: says at once which ones are. What the disk refuses
   * to read is looked at again with back-off, so that a study goes on by itself when the disk does.
   */
  suspect(studyInstanceUid: string): void {
    const known = this.#suspects.get(studyInstanceUid);
    if (known?.checking || this.#stopped.signal.aborted) return;
    clearTimeout(known?.timer);
    const suspect: Suspect = { looks: (known?.looks ?? 0) + 1 };
    suspect.checking = this.#check(studyInstanceUid, suspect);
    this.#suspects.set(studyInstanceUid, suspect);
  }

  async #check(studyInstanceUid: string, suspect: Suspect): Promise<void> {
    const { verifier, log } = this.#parts;
    const { signal } = this.#stopped;
    let again = true;
    try {
      again = await verifier.checkStudy(studyInstanceUid, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error, studyInstanceUid }, 'the files of a study could not be verified');
    }
    suspect.checking = undefined;
    if (!again || signal.aborted) {
      this.#suspects.delete(studyInstanceUid);
      return;
    }
    const delay = backoff(suspect.looks, LOOK_AGAIN, Math.random());
    suspect.timer = setTimeout(() => this.suspect(studyInstanceUid), delay);
  }

  /** Takes the schedules of the settings at hand into force. */
  reschedule(): void {
    this.#unschedule();
    const { retention, verify } = this.#parts.settings();
    this.#at(retention.schedule, 'retention', () => this.#retain());
    this.#at(retention.maintenanceSchedule, 'maintenance', () =>
      maintainCatalog(this.#parts.catalog),
    );
    this.#at(verify.schedule, 'verify', () => this.#verify());
  }

  async stop(): Promise<void> {
    this.#unschedule();
    this.#stopped.abort();
    for (const { timer } of this.#suspects.values()) clearTimeout(timer);
    await Promise.all([...this.#suspects.values()].map(({ checking }) => checking));
    this.#verifying?.stop.abort();
    await this.#verifying?.done;
    await this.#parts.checker[Symbol.asyncDispose]();
  }

  #at(expression: string, task: string, run: () => unknown): void {
    const guarded = async () => {
      try {
        await run();
      } catch (error) {
        this.#parts.log.error({ err: error, task }, 'scheduled task failed');
      }
    };
    this.#tasks.push(schedule(expression, guarded));
  }

  #unschedule(): void {
    for (const task of this.#tasks.splice(0)) void task.destroy();
  }

  async #retain(): Promise<void> {
    const { retention, settings, log } = this.#parts;
    const removed = await retention.run(settings().retention, Date.now());
    if (removed > 0) log.info({ removed }, 'removed old studies');
  }

  /** Begins a check unless one is under way. */
  #verify(): void {
    if (this.#verifying !== undefined) return;
    const { checker, verifier, settings, log } = this.#parts;
    const stop = new AbortController();
    const run = async () => {
      try {
        await checker.check();
        const { bytesPerSecond } = settings().verify;
        const { files, bytes, damaged } = await verifier.resume(bytesPerSecond, stop.signal);
        log.info({ files, bytes, problems: damaged.length }, 'all files verified');
      } catch (error) {
        // What is done is written down: the next run goes on from there.
        if (!stop.signal.aborted)
          log.error({ err: error, task: 'verify' }, 'verifying was cut off');
      } finally {
        this.#verifying = undefined;
      }
    };
    this.#verifying = { done: run(), stop };
  }
}

interface Suspect {
  /** Times that it was looked at. */
  readonly looks: number;
  checking?: Promise<void> | undefined;
  timer?: NodeJS.Timeout;
}

const LOOK_AGAIN = { baseMs: 5_000, capMs: 600_000 };
