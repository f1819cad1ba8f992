import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { builtModule } from '../built-module.js';
import { StageError } from '../domain/failure.js';
import type { Reason } from '../domain/finding.js';
import {
  conclusionFrom,
  EngineAnswerError,
  replyFrom,
  slabResultsFrom,
  type UncheckedReply,
} from './engine-answer.js';
import { EngineChannel } from './engine-channel.js';
import type {
  Classify,
  Conclude,
  Conclusion,
  EngineRequest,
  EngineWork,
  SlabResult,
} from './engine-protocol.js';
import type { ModelManifest } from './model-manifest.js';
import type { ModelPackage } from './model-package.js';
import { ModelPackageError } from './model-package-error.js';

export interface EngineProcessOptions {
  readonly model: ModelPackage;
  /** Threads of one operator; the receiver shares the cores. */
  readonly threads: number;
  /** Of the process, 0 to 19. */
  readonly niceness: number;
  /** A request that takes longer has hung. Milliseconds. */
  readonly timeoutMs: number;
  /** What the process may allocate, in bytes. */
  readonly memoryBytes: number;
}

/** The process is gone, or was ended because it could not be trusted any more, with a request in its hands. */
export class ProcessLostError extends Error {
  /** Code and sentence for a report. */
  readonly reason: Reason;
  /** Whether it had begun with the request; else it was lost by something else. */
  readonly begun: boolean;

  constructor(reason: Reason, begun: boolean) {
    super(reason.text);
    this.name = 'ProcessLostError';
    this.reason = reason;
    this.begun = begun;
  }
}

/** A model is loaded and tried once; a busy machine at boot takes its time. */
const START_MS = 60_000;
/** A process that hangs in the kernel, on a disk that is gone, outlives its SIGKILL: it is not waited for. */
const KILL_MS = 5_000;

interface Pending {
  readonly id: number;
  begun: boolean;
  readonly resolve: (reply: UncheckedReply) => void;
  readonly reject: (error: ProcessLostError) => void;
}

/**
 * One life of the inference process. It gets one request at a time, so that whatever it dies of is known; it holds
 * nothing that cannot be computed again, and is only ever ended by SIGKILL, which a stopped or looping process obeys too.
 */
export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #channel: EngineChannel;
  readonly #manifest: ModelManifest;
  readonly #timeoutMs: number;
  /** Resolves, when the process is gone, to what it died of. */
  readonly gone: Promise<Reason>;
  #setGone: (reason: Reason) => void = () => undefined;
  #pending: Pending | undefined;
  #lastId = 0;
  /** Why it was killed; what it died of otherwise is in its exit. */
  #killedFor: Reason | undefined;

  private constructor(child: ChildProcess, pipe: Duplex, options: EngineProcessOptions) {
    this.#child = child;
    this.#manifest = options.model.manifest;
    this.#timeoutMs = options.timeoutMs;
    this.#channel = new EngineChannel(
      pipe,
      (message) => this.#received(message),
      () => this.#kill(BROKEN_ANSWER),
    );
    this.gone = new Promise((resolve) => {
      this.#setGone = resolve;
    });
    child.once('exit', (exitCode, signal) => this.#settle(crashed(exitCode, signal)));
  }

  /**
   * Starts the process and lets it open the model and try it.
   * @throws ModelPackageError where it refuses the model; StageError `inference-unavailable` where it does not start
   */
  static async start(options: EngineProcessOptions, stop: AbortSignal): Promise<EngineProcess> {
    const { child, pipe } = await spawnChild(options.memoryBytes);
    const engine = new EngineProcess(child, pipe, options);
    const onStop = () => engine.#kill(STOPPED);
    stop.addEventListener('abort', onStop);
    try {
      const { folder, manifest } = options.model;
      const { threads, niceness } = options;
      const timeoutMs = Math.max(START_MS, options.timeoutMs);
      const open = { type: 'open', folder, manifest, threads, niceness } as const;
      const reply = await engine.#ask(open, timeoutMs);
      if (reply.type === 'ready') return engine;
      if (reply.type === 'refused') throw new ModelPackageError('graph-mismatch', reply.message);
      throw unavailable('answers nonsense');
    } catch (error) {
      await engine.end();
      if (!(error instanceof ProcessLostError)) throw error;
      throw unavailable(`ended while it started: ${error.message}`, error);
    } finally {
      stop.removeEventListener('abort', onStop);
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @throws ProcessLostError; StageError where the files are to blame */
  async classify(slabs: Classify['slabs'], next?: Classify['next']): Promise<SlabResult[]> {
    const reply = await this.#work({ type: 'classify', slabs, next });
    if (reply.type !== 'classified') throw await this.#mistrust(BROKEN_ANSWER);
    return this.#trusted(() => slabResultsFrom(reply.results, { slabs }, this.#manifest));
  }

  /** @throws ProcessLostError; StageError where the files are to blame */
  async conclude(work: Omit<Conclude, 'type'>): Promise<Conclusion> {
    const reply = await this.#work({ type: 'conclude', ...work });
    if (reply.type !== 'concluded') throw await this.#mistrust(BROKEN_ANSWER);
    return this.#trusted(() => conclusionFrom(reply.conclusion, work, this.#manifest));
  }

  async end(): Promise<void> {
    this.#kill(STOPPED);
    await this.gone;
  }

  async #work(work: EngineWork): Promise<UncheckedReply> {
    this.#lastId += 1;
    const reply = await this.#ask({ ...work, id: this.#lastId }, this.#timeoutMs);
    if (reply.type === 'failed') {
      const { code, failureClass, message } = reply.failure;
      throw new StageError(code, failureClass, message);
    }
    if (reply.type === 'broken') {
      const { code, message } = reply.failure;
      throw await this.#mistrust({ code, text: message });
    }
    return reply;
  }

  async #trusted<T>(check: () => T): Promise<T> {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof EngineAnswerError)) throw error;
      throw await this.#mistrust(BROKEN_ANSWER);
    }
  }

  /** Ends a process that answered, but not as a sound one does. */
  async #mistrust(reason: Reason): Promise<ProcessLostError> {
    this.#kill(reason);
    return new ProcessLostError(await this.gone, true);
  }

  async #ask(request: EngineRequest, timeoutMs: number): Promise<UncheckedReply> {
    const hung = setTimeout(() => {
      // An answer that lies in the pipe because this process itself stood still is read before.
      setImmediate(() => {
        if (this.#pending === pending) this.#kill(hungFor(timeoutMs));
      });
    }, timeoutMs);
    let pending: Pending | undefined;
    try {
      return await new Promise<UncheckedReply>((resolve, reject) => {
        pending = { id: 'id' in request ? request.id : 0, begun: false, resolve, reject };
        this.#pending = pending;
        if (isGone(this.#child))
          void this.gone.then((reason) => reject(new ProcessLostError(reason, false)));
        else this.#channel.send(request);
      });
    } finally {
      clearTimeout(hung);
      this.#pending = undefined;
    }
  }

  /** What nobody asked for comes from a process that is not sound; after a kill nothing counts any more. */
  #received(message: unknown): void {
    if (this.#killedFor !== undefined) return;
    let reply: UncheckedReply;
    try {
      reply = replyFrom(message);
    } catch {
      this.#kill(BROKEN_ANSWER);
      return;
    }
    const id = 'id' in reply ? reply.id : 0;
    if (this.#pending === undefined || this.#pending.id !== id) this.#kill(BROKEN_ANSWER);
    else if (reply.type === 'begun') this.#pending.begun = true;
    else this.#pending.resolve(reply);
  }

  #kill(reason: Reason): void {
    this.#killedFor ??= reason;
    this.#child.kill('SIGKILL');
    setTimeout(() => this.#settle(reason), KILL_MS).unref();
  }

  #settle(reason: Reason): void {
    this.#killedFor ??= reason;
    this.#pending?.reject(new ProcessLostError(this.#killedFor, this.#pending.begun));
    this.#setGone(this.#killedFor);
  }
}

const CHANNEL_FD = 3;

const BROKEN_ANSWER: Reason = {
  code: 'inference-answer-invalid',
  text: 'The inference process gave an answer that is none',
};

const STOPPED: Reason = { code: 'inference-stopped', text: 'Inference was stopped' };

function hungFor(ms: number): Reason {
  const text = `The inference process gave no answer within ${ms / 1000} s`;
  return { code: 'inference-hung', text };
}

function crashed(exitCode: number | null, signal: string | null): Reason {
  const text =
    signal === 'SIGKILL'
      ? 'The inference process was killed, as the system does when memory runs out'
      : `The inference process crashed (${signal ?? `exit code ${exitCode}`})`;
  return { code: signal === 'SIGKILL' ? 'inference-killed' : 'inference-crashed', text };
}

function unavailable(what: string, cause?: unknown): StageError {
  const message = `The inference process ${what}`;
  return new StageError('inference-unavailable', 'transient', message, { cause });
}

function isGone({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/**
 * Only a shell can set the limit on a process before it runs. What is limited is RLIMIT_DATA, which counts what can be
 * written to (setrlimit(2)): V8 and the decoders reserve far more addresses than they use. Where the system has set a
 * lower limit already, that one stays.
 */
async function spawnChild(memoryBytes: number): Promise<{ child: ChildProcess; pipe: Duplex }> {
  const limited = 'ulimit -d "$1" 2>/dev/null; shift; exec "$@"';
  const kilobytes = `${Math.floor(memoryBytes / 1024)}`;
  const command = [process.execPath, builtModule('infer/engine-child')];
  try {
    const child = spawn('/bin/sh', ['-c', limited, 'vigil-inference', kilobytes, ...command], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
    // Without a pid the error follows, and by no other event.
    if (child.pid === undefined) await once(child, 'spawn');
    // A signal that cannot be sent is told by the exit that does not come.
    child.on('error', () => undefined);
    return { child, pipe: child.stdio[CHANNEL_FD] as Duplex };
  } catch (error) {
    throw unavailable(`cannot be started (${(error as NodeJS.ErrnoException).code})`, error);
  }
}
