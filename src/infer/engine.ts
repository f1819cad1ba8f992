import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { builtModule } from '../built-module.js';
import { StageError } from '../domain/failure.js';
import type { Log } from '../log.js';
import type { EngineReply, EngineRequest, SeriesAnalysis, SlabInput } from './engine-protocol.js';
import type { ModelPackage } from './model-package.js';
import { ModelPackageError } from './model-package-error.js';

export interface EngineOptions {
  readonly model: ModelPackage;
  /** Threads of one operator; the receiver shares the cores. */
  readonly threads: number;
  readonly log: Log;
  /** A start, or an analysis, that takes longer has hung. Milliseconds. */
  readonly timeoutMs?: number;
}

/** Waits before the next start after so many crashes in a row. Milliseconds. */
const RESTART_AFTER = [0, 1_000, 5_000, 30_000];
const ATTEMPTS = 2;
const TIMEOUT_MS = 120_000;

type Answer = Extract<EngineReply, { type: 'analysed' | 'failed' }>;

interface Pending {
  readonly id: number;
  readonly settle: (answer: Answer | 'lost') => void;
}

/**
 * Owns the inference process: starts it again when it crashes or hangs, and gives it one analysis at a time. The
 * process is only ever ended by killing it; it holds nothing that is not computed again.
 */
export class InferenceEngine implements AsyncDisposable {
  readonly #options: EngineOptions;
  #child: ChildProcess | undefined;
  #ready: Promise<ChildProcess>;
  #crashes = 0;
  #pending: Pending | undefined;
  #lastId = 0;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #stopped = new AbortController();

  private constructor(options: EngineOptions) {
    this.#options = options;
    this.#ready = Promise.reject(new Error('The inference process was not started'));
    this.#ready.catch(() => undefined);
  }

  /** @throws ModelPackageError where the process refuses the model; StageError where it does not start. */
  static async open(options: EngineOptions): Promise<InferenceEngine> {
    const engine = new InferenceEngine(options);
    engine.#ready = engine.#start();
    try {
      await engine.#ready;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
    return engine;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Classifies slabs when nothing else is to do. What fails or is lost here is done with the analysis. */
  prefetch(slabs: readonly SlabInput[]): void {
    if (slabs.length === 0 || this.#child === undefined) return;
    this.#send(this.#child, { type: 'prefetch', slabs });
  }

  /** @throws StageError, after one more attempt where the process was lost. */
  analyse(slabs: readonly SlabInput[], keySlices: number): Promise<SeriesAnalysis> {
    const turn = this.#queue.then(() => this.#analyse(slabs, keySlices));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    this.#pending?.settle('lost');
    // A start that is under way ends its own process, or has one by then.
    await this.#ready.catch(() => undefined);
    const child = this.#child;
    this.#child = undefined;
    if (child) await end(child);
  }

  async #analyse(slabs: readonly SlabInput[], keySlices: number): Promise<SeriesAnalysis> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const child = await this.#readyOrFail();
      this.#lastId += 1;
      const request = { type: 'analyse', id: this.#lastId, slabs, keySlices } as const;
      const answer = await this.#ask(child, request);
      if (answer === 'lost') {
        this.#options.log.warn({ attempt }, 'the inference process was lost during an analysis');
        continue;
      }
      this.#crashes = 0;
      if (answer.type === 'analysed') return answer.analysis;
      const { code, failureClass, message } = answer.failure;
      throw new StageError(code, failureClass, message);
    }
    throw new StageError(
      'inference-process-lost',
      'transient',
      `The inference process was lost ${ATTEMPTS} times during this analysis`,
    );
  }

  async #readyOrFail(): Promise<ChildProcess> {
    try {
      return await this.#ready;
    } catch (cause) {
      throw new StageError('inference-unavailable', 'transient', 'The inference process is down', {
        cause,
      });
    }
  }

  async #ask(
    child: ChildProcess,
    request: Extract<EngineRequest, { type: 'analyse' }>,
  ): Promise<Answer | 'lost'> {
    const hung = setTimeout(() => {
      this.#options.log.error('the inference process hangs: it is killed');
      child.kill('SIGKILL');
    }, this.#options.timeoutMs ?? TIMEOUT_MS);
    try {
      return await new Promise((settle) => {
        this.#pending = { id: request.id, settle };
        if (child === this.#child) this.#send(child, request);
        else settle('lost');
      });
    } finally {
      clearTimeout(hung);
      this.#pending = undefined;
    }
  }

  async #start(): Promise<ChildProcess> {
    await delay(RESTART_AFTER[Math.min(this.#crashes, RESTART_AFTER.length - 1)], undefined, {
      signal: this.#stopped.signal,
    });
    const { model, threads, log } = this.#options;
    const child = fork(builtModule('infer/engine-child'), {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('error', (error) => log.error({ error: error.message }, 'inference process'));
    this.#send(child, { type: 'open', folder: model.folder, manifest: model.manifest, threads });
    try {
      await this.#untilReady(child);
    } catch (error) {
      await end(child);
      throw error;
    }
    child.on('message', (reply: EngineReply) => this.#settle(reply));
    child.once('exit', (exitCode, signal) => this.#lost(exitCode, signal));
    this.#child = child;
    log.info({ child: child.pid, model: model.identity.name }, 'inference process ready');
    return child;
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    const signal = AbortSignal.any([
      this.#stopped.signal,
      AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS),
    ]);
    const exit = once(child, 'exit', { signal }).then(() => undefined);
    let answer: EngineReply | undefined;
    try {
      [answer] = (await Promise.race([once(child, 'message', { signal }), exit])) ?? [];
    } catch (cause) {
      const message = 'The inference process did not start in time';
      throw new StageError('inference-unavailable', 'transient', message, { cause });
    }
    if (answer?.type === 'ready') return;
    if (answer?.type === 'refused') throw new ModelPackageError('graph-mismatch', answer.message);
    throw new StageError('inference-unavailable', 'transient', 'The inference process ended early');
  }

  #settle(reply: EngineReply): void {
    if ((reply.type === 'analysed' || reply.type === 'failed') && reply.id === this.#pending?.id) {
      this.#pending.settle(reply);
    }
  }

  #lost(exitCode: number | null, signal: NodeJS.Signals | null): void {
    if (this.#stopped.signal.aborted) return;
    this.#options.log.error({ exitCode, signal }, 'the inference process ended: it is restarted');
    this.#child = undefined;
    this.#restart();
    this.#pending?.settle('lost');
  }

  /** Who waits for a start that fails is told so; the next start follows after a longer wait. */
  #restart(): void {
    this.#ready = this.#start();
    this.#crashes += 1;
    this.#ready.catch((error: unknown) => {
      if (this.#stopped.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#options.log.error({ error: message }, 'the inference process does not start');
      this.#restart();
    });
  }

  #send(child: ChildProcess, request: EngineRequest): void {
    // A closed channel shows in the exit event, which settles what is pending.
    child.send(request, () => undefined);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
