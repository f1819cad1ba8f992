import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeEntry, type JournalEntry } from './journal.js';
import {
  CPU_LIMIT_MS,
  type FindingKind,
  STALL_LIMIT_MS,
  type WorkerMessage,
  type WorkerOptions,
} from './target.js';

export interface FuzzOptions {
  /** File of the target's module. */
  readonly module: string;
  readonly cases: number;
  readonly seed: number;
  /** Folders with inputs to begin with. */
  readonly corpus: readonly string[];
  /** Keeps what is found: `corpus/` with inputs that reached new code, `findings/` with those that broke a promise. */
  readonly folder: string;
  readonly replay?: readonly string[];
  /** Goes on where an earlier run in the same folder, with the same seed, was stopped, and adds to its counts. */
  readonly resume?: boolean;
  readonly onFinding?: (finding: Finding) => void;
  readonly onProgress?: (done: number) => void;
}

export interface Finding {
  readonly kind: FindingKind;
  readonly message: string;
  /** Of the failing case's bytes. */
  readonly file: string;
}

export interface FuzzResult {
  readonly cases: number;
  /** Errors of no promised kind, broken promises, ends of the process, and memory beyond the target's limit. */
  readonly crashes: number;
  readonly hangs: number;
  readonly maxRssMb: number;
}

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
const POLL_MS = 200;
/** A case that ends by itself is timed more exactly by its own process, and is slower while it is watched there. */
const KILL_AFTER = 3;
/** A process that dies again and again at the same case, such as while it starts, is given up. */
const MOST_DEATHS_WITHOUT_PROGRESS = 3;

/**
 * Runs cases on a target in a process of its own, which is watched from here: by its CPU time, so that a busy machine
 * makes no hang, by its peak of resident memory, and by how it ends.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const found = join(options.folder, 'corpus');
  mkdirSync(found, { recursive: true });
  mkdirSync(join(options.folder, 'findings'), { recursive: true });
  const total = options.replay?.length ?? options.cases;
  const stateFile = join(options.folder, 'state.json');
  const last = options.resume ? readState(stateFile, options.seed) : undefined;
  const counts = last?.counts ?? { crash: 0, hang: 0, memory: 0 };
  let maxRssMb = last?.maxRssMb ?? 0;
  let next = last?.next ?? 0;
  let deaths = 0;
  const save = () => {
    const state: State = { seed: options.seed, next, counts, maxRssMb };
    if (!options.replay) writeFileSync(stateFile, JSON.stringify(state));
  };

  const report = (kind: FindingKind, input: Buffer, message: string) => {
    counts[kind] += 1;
    const name = createHash('sha256').update(input).digest('hex').slice(0, 16);
    const file = join(options.folder, 'findings', `${kind}-${name}.bin`);
    writeFileSync(file, input);
    options.onFinding?.({ kind, message, file });
  };

  while (next < total) {
    const replay = options.replay?.slice(next);
    const worker = new Worker({
      module: options.module,
      seed: options.seed,
      from: replay ? 0 : next,
      to: total,
      corpus: [...options.corpus, found],
      journal: join(options.folder, 'journal.bin'),
      ...(replay && { replay }),
    });
    const base = replay ? next : 0;
    const begun = next;
    worker.onMessage((message) => {
      if (message.type === 'progress') {
        next = Math.max(next, base + message.next);
        maxRssMb = Math.max(maxRssMb, message.maxRssMb);
        save();
        options.onProgress?.(next);
      } else if (message.type === 'finding') {
        report(message.kind, message.input, message.message);
        if (message.kind === 'memory') next = base + message.index + 1;
      }
    });
    const end = await worker.ended();
    if (end === 'done') break;
    if (end !== 'memory') {
      const died = worker.lastCase();
      report(end.kind, died?.input ?? Buffer.alloc(0), end.message);
      if (died) next = base + died.index + 1;
    }
    deaths = next > begun + 1 ? 0 : deaths + 1;
    if (deaths >= MOST_DEATHS_WITHOUT_PROGRESS) break;
  }
  const { crash, hang, memory } = counts;
  return { cases: Math.min(next, total), crashes: crash + memory, hangs: hang, maxRssMb };
}

/** What is written down of a run, to go on from. */
interface State {
  readonly seed: number;
  readonly next: number;
  readonly counts: Record<FindingKind, number>;
  readonly maxRssMb: number;
}

function readState(file: string, seed: number): State | undefined {
  if (!existsSync(file)) return undefined;
  const state = JSON.parse(readFileSync(file, 'utf8')) as State;
  return state.seed === seed ? state : undefined;
}

type End = 'done' | 'memory' | { readonly kind: 'crash' | 'hang'; readonly message: string };

class Worker {
  readonly #options: WorkerOptions;
  readonly #child: ChildProcess;
  #stderr = '';
  #isDone = false;
  #isOverMemory = false;
  #hang: string | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    // An earlier process's last case would be taken for this one's, and what its start costs for the case's.
    rmSync(options.journal, { force: true });
    this.#child = fork(WORKER, [JSON.stringify(options)], {
      execArgv: ['--import', 'tsx', '--max-old-space-size=1024'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#stderr = `${this.#stderr}${bytes}`.slice(-4000);
    });
    this.onMessage((message) => {
      if (message.type === 'done') this.#isDone = true;
      if (message.type === 'finding' && message.kind === 'memory') this.#isOverMemory = true;
    });
  }

  onMessage(listener: (message: WorkerMessage) => void): void {
    this.#child.on('message', listener);
  }

  async ended(): Promise<End> {
    const watch = setInterval(this.#watcher(), POLL_MS);
    const [code, signal] = (await once(this.#child, 'close')) as [number | null, string | null];
    clearInterval(watch);
    if (this.#hang !== undefined) return { kind: 'hang', message: this.#hang };
    if (this.#isDone) return 'done';
    if (this.#isOverMemory) return 'memory';
    const how = signal ? `by ${signal}` : `with ${code}`;
    return { kind: 'crash', message: `The process ended ${how}\n${this.#stderr}` };
  }

  /** The case that the process was at, or undefined where it came to none. */
  lastCase(): JournalEntry | undefined {
    return existsSync(this.#options.journal)
      ? decodeEntry(readFileSync(this.#options.journal))
      : undefined;
  }

  /** Kills a process that has been at one case for too long; one that only took long tells so itself. */
  #watcher(): () => void {
    let at = { run: 0, cpuMs: 0, since: Date.now() };
    return () => {
      const run = this.lastCase()?.run ?? 0;
      const usage = usageOf(this.#child.pid);
      if (usage === undefined) return;
      const { cpuMs, waitsForCpu } = usage;
      if (run !== at.run) at = { run, cpuMs, since: Date.now() };
      // A busy machine may give it no time at all.
      if (waitsForCpu) at.since = Date.now();
      const isLooping = run > 0 && cpuMs - at.cpuMs > KILL_AFTER * CPU_LIMIT_MS;
      const isStalled = Date.now() - at.since > STALL_LIMIT_MS;
      if (!isLooping && !isStalled) return;
      this.#hang = isLooping
        ? `killed after ${cpuMs - at.cpuMs} ms of CPU`
        : `killed after ${STALL_LIMIT_MS} ms without an end`;
      this.#child.kill('SIGKILL');
    };
  }
}

const TICK_MS = 10;

/** User and system time of a process, and whether it would run if it could, from proc(5). */
function usageOf(pid: number | undefined): { cpuMs: number; waitsForCpu: boolean } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    return { cpuMs, waitsForCpu: fields[0] !== 'S' };
  } catch {
    return undefined;
  }
}
