import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Random, seeded } from '../../src/simulate/phantom/random.js';
import { NodeProcess } from '../integration/node/node-process.js';
import { auditReports, auditStorage, type ReportFaults, type StorageFaults } from './audit.js';
import { KILL_STEP_NAMES, type KillStep } from './kill-steps.js';
import { ObservedPacs } from './observed-pacs.js';
import { Sender } from './sender.js';

export interface CrashOptions {
  /** Where storage, configuration and the PACS's objects go. */
  readonly folder: string;
  readonly kills: number;
  readonly seed: number;
  /** The steps to kill at, in turn; all of them by default. */
  readonly steps?: readonly KillStep[];
  readonly onKill?: (number: number, where: string) => void;
}

export interface CrashResult extends StorageFaults, ReportFaults {
  readonly kills: number;
  /** Images that were answered 0x0000. */
  readonly acknowledged: number;
  readonly studies: number;
  /** How often the node was killed at each step, and under `random` at any other time. */
  readonly killedAt: ReadonlyMap<KillStep | 'random', number>;
  /** Objects that the PACS was sent more than once, as it should be told apart from a duplicate. */
  readonly resent: number;
}

/** One kill in so many comes at a random time instead of at a named step. */
const RANDOM_EVERY = 4;
/** After so many kills the node may finish everything, and all is compared. */
const AUDIT_EVERY = 60;
/** Studies under way at once: enough that every stage has work, few enough that none waits long. */
const OPEN_STUDIES = 3;
const RANDOM_WITHIN_MS = 5000;
/** Patience with a slow machine; nothing is measured by it. */
const STEP_WITHIN_MS = 120_000;
const SETTLED_WITHIN_MS = 120_000;
const POLL_MS = 50;

const PRELOAD = pathToFileURL(join(import.meta.dirname, 'kill-at-step.mjs')).href;

/**
 * Kills the real node again and again while a scanner sends and a PACS receives, both of which live on, and compares
 * storage folder and PACS with what the scanner was told.
 *
 * @throws Error where a named step was not reached, or the node ends by itself
 */
export async function crashRun(options: CrashOptions): Promise<CrashResult> {
  await using pacs = new ObservedPacs(join(options.folder, 'pacs'));
  await pacs.start();
  return await new CrashRun(options, pacs).run();
}

class CrashRun {
  readonly #options: CrashOptions;
  readonly #config: string;
  readonly #storage: string;
  readonly #random: Random;
  readonly #sender: Sender;
  readonly #pacs: ObservedPacs;
  readonly #killedAt = new Map<KillStep | 'random', number>();

  constructor(options: CrashOptions, pacs: ObservedPacs) {
    this.#options = options;
    this.#config = join(options.folder, 'vigil.yaml');
    this.#storage = join(options.folder, 'data');
    this.#random = seeded(options.seed);
    this.#sender = new Sender(`crash ${options.seed}`, this.#random);
    this.#pacs = pacs;
  }

  async run(): Promise<CrashResult> {
    await writeFile(this.#config, configFor(this.#pacs.port));
    const { kills, steps = KILL_STEP_NAMES, onKill } = this.#options;
    let named = 0;
    for (let kill = 1; kill <= kills; kill += 1) {
      const isNamed = kill % RANDOM_EVERY !== 0 && steps.length > 0;
      const step = isNamed ? steps[named++ % steps.length] : undefined;
      await this.#killOnce(step);
      const where = step ?? 'random';
      this.#killedAt.set(where, (this.#killedAt.get(where) ?? 0) + 1);
      onKill?.(kill, where);
      if (kill % AUDIT_EVERY === 0 && kill < kills && hasFaults(await this.#settle())) break;
    }
    const faults = await this.#settle();
    return {
      ...faults,
      kills: [...this.#killedAt.values()].reduce((sum, times) => sum + times, 0),
      acknowledged: this.#sender.acknowledged.size,
      studies: this.#sender.studies.length,
      killedAt: this.#killedAt,
      resent: [...this.#pacs.results.values()].filter(({ times }) => times > 1).length,
    };
  }

  /** Starts the node and keeps it busy until it is killed, at the step or at a random time. */
  async #killOnce(step: KillStep | undefined): Promise<void> {
    await using node = NodeProcess.spawn(this.#config, {
      ...(step && {
        execArgv: ['--import', PRELOAD],
        env: { VIGIL_KILL_STEP: step, VIGIL_KILL_NTH: String(this.#occurrence(step)) },
      }),
    });
    const within = step ? STEP_WITHIN_MS : this.#random() * RANDOM_WITHIN_MS;
    const timer = setTimeout(() => void node.end('SIGKILL'), within);
    try {
      await this.#keepBusy(node);
    } finally {
      clearTimeout(timer);
    }
    const code = await node.ended;
    if (code !== null) throw new Error(`The node ended by itself with exit code ${code}`);
    const report = (await node.report).trim();
    if (step !== undefined && report !== step) throw new Error(`Step ${step} was not reached`);
  }

  /** What happens for each image is killed at a random one of the first; what happens once for a study, at once. */
  #occurrence(step: KillStep): number {
    return 1 + Math.floor(this.#random() * (OCCURRENCES[step] ?? 1));
  }

  /** Sends, and sends again, until the node is gone. */
  async #keepBusy(node: NodeProcess): Promise<void> {
    let alive = true;
    const gone = node.ended.then(() => {
      alive = false;
    });
    const port = await node.ready().catch(() => undefined);
    while (alive && port !== undefined) {
      if (this.#sender.studies.every((study) => this.#sender.isAcknowledged(study))) {
        if (this.#random() < 0.1) await this.#sender.repeatOne(port);
        if (this.#openStudies() < OPEN_STUDIES) this.#sender.addStudy();
        else await Promise.race([gone, delay(POLL_MS)]);
      }
      await this.#sender.sendMissing(port);
    }
    await gone;
  }

  #openStudies(): number {
    const answered = this.#pacs.studies;
    return this.#sender.studies.filter((study) => !answered.has(study.studyInstanceUid)).length;
  }

  /** Lets the node finish everything and stop by itself, and compares. */
  async #settle(): Promise<StorageFaults & ReportFaults> {
    const { studies, acknowledged } = this.#sender;
    const { results } = this.#pacs;
    await using node = await NodeProcess.start(this.#config);
    const until = Date.now() + SETTLED_WITHIN_MS;
    const isSettled = () =>
      studies.every((study) => this.#sender.isAcknowledged(study)) &&
      auditReports(this.#storage, studies, results).unreported.length === 0;
    do {
      await this.#sender.sendMissing(node.port);
      await delay(POLL_MS);
    } while (!isSettled() && Date.now() < until);
    const code = await node.end('SIGTERM');
    if (code !== 0) throw new Error(`The node stopped with exit code ${code}`);
    return {
      ...auditStorage(this.#storage, acknowledged),
      ...auditReports(this.#storage, studies, results),
    };
  }
}

const OCCURRENCES: Partial<Record<KillStep, number>> = {
  'file-made': 20,
  'torn-write': 12,
  fsync: 12,
  'before-response': 12,
  'before-commit': 4,
  commit: 4,
  rename: 12,
  // Times 20 ms.
  inference: 30,
  'result-temp-write': 4,
  'result-fsync': 4,
  'result-rename': 4,
  delivery: 20,
  'pacs-response': 4,
  'delivery-commit': 4,
};

function hasFaults(faults: StorageFaults & ReportFaults): boolean {
  return Object.values(faults).some((list: string[]) => list.length > 0);
}

/** The images announce how many they are, so no wait says that a series is whole before the scanner is done. */
export function configFor(pacsPort: number, storage = './data'): string {
  return `node: { host: 127.0.0.1, port: 0 }
storage: { folder: ${storage}, minFreeMb: 1 }
admin: { port: 0 }
completeness: { unknownSeconds: 3000, capSeconds: 3600 }
destinations:
  pacs: { aeTitle: PACS, host: 127.0.0.1, port: ${pacsPort}, retryFirstSeconds: 0.1, retryLongestSeconds: 0.5 }
routes:
  - { name: everything, send: { to: [pacs] } }
`;
}
