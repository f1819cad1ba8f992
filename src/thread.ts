import { parentPort, Worker } from 'node:worker_threads';
import { builtModule } from './built-module.js';

/** Functions that run in a thread; what they take and give is copied between threads, but for what they give as Moved. */
export type ThreadFunctions = Readonly<Record<string, (...args: never[]) => unknown>>;

/** A function's value with the buffers in it that change hands instead of being copied. */
export class Moved<Value> {
  readonly value: Value;
  readonly buffers: readonly ArrayBuffer[];

  constructor(value: Value, buffers: readonly ArrayBuffer[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

type Given<Value> = Value extends Moved<infer Inner> ? Inner : Value;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly code?: string } };

/** What a function in the thread threw. */
export class ThreadError extends Error {
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.name = 'ThreadError';
    this.code = code;
  }
}

/**
 * A module whose functions run in a thread of their own, so that what takes long holds up nothing here. It starts with
 * the first call, and after its loss with the next one.
 */
export class Thread<Functions extends ThreadFunctions> implements AsyncDisposable {
  readonly #module: string;
  readonly #workerData: unknown;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >();
  #worker: Worker | undefined;
  #calls = 0;

  /** @param module as `store/console-thread`; @param workerData what it is started with */
  constructor(module: string, workerData: unknown) {
    this.#module = module;
    this.#workerData = workerData;
  }

  /** @throws ThreadError with the message and code of what the function threw, or where the thread was lost */
  call<Name extends keyof Functions & string>(
    name: Name,
    ...args: Parameters<Functions[Name]>
  ): Promise<Given<Awaited<ReturnType<Functions[Name]>>>> {
    const worker = this.#running();
    this.#calls += 1;
    const call: Call = { id: this.#calls, name, args };
    return new Promise((resolve, reject) => {
      // The functions' types are those that the thread's module gives.
      const settle = resolve as (value: unknown) => void;
      this.#waiting.set(call.id, { resolve: settle, reject });
      worker.postMessage(call);
    });
  }

  /** Starts it before it is needed. */
  start(): void {
    this.#running();
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(builtModule(this.#module), { workerData: this.#workerData });
    worker.unref();
    worker.on('message', (answer: Answer) => this.#answered(answer));
    worker.on('error', (error: Error) => this.#lost(worker, error.message));
    worker.on('exit', () => this.#lost(worker, 'the thread has ended'));
    this.#worker = worker;
    return worker;
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('value' in answer) waiting?.resolve(answer.value);
    else waiting?.reject(new ThreadError(answer.error.message, answer.error.code));
  }

  #lost(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(new ThreadError(why));
    this.#waiting.clear();
  }
}

/** In the thread's module: answers calls, one at a time. */
export function serveThread(functions: ThreadFunctions): void {
  let calls: Promise<void> = Promise.resolve();
  const answer = async ({ id, name, args }: Call): Promise<[Answer, readonly ArrayBuffer[]]> => {
    try {
      const run = functions[name];
      if (run === undefined) throw new Error(`The thread has no function ${name}`);
      const given = await run(...(args as never[]));
      if (given instanceof Moved) return [{ id, value: given.value }, given.buffers];
      return [{ id, value: given }, []];
    } catch (error) {
      const { message, code } = error as { message: string; code?: string };
      return [{ id, error: { message, ...(typeof code === 'string' && { code }) } }, []];
    }
  };
  parentPort?.on('message', (call: Call) => {
    calls = calls.then(async () => {
      const [message, moved] = await answer(call);
      parentPort?.postMessage(message, moved);
    });
  });
}
