import type { Random } from './mutate.js';

/** What one part of Vigil is fuzzed through. */
export interface Target {
  /** Well-formed and known hostile inputs to begin with, besides those of the corpus folder. */
  readonly seeds: () => readonly Buffer[] | Promise<readonly Buffer[]>;
  /** Pieces that mean something in this format. */
  readonly dictionary: readonly Buffer[];
  /** A fresh input by the format's grammar, wrong in places. */
  readonly generate: (random: Random) => Buffer;
  /** Makes a mutated input hold together again, such as by its length fields; called for some. */
  readonly repair?: (input: Buffer) => Buffer;
  /**
   * Set where a whole node runs: V8's counters take seconds for all its code, so that inputs come of grammar and seeds alone,
   * and its other work would count as a case's, so that a slow one is timed again.
   */
  readonly unwatched?: true;
  /** In bytes; longer inputs are cut. */
  readonly longest: number;
  /** Resident memory that the process with this target may come to. */
  readonly memoryLimitMb: number;
  /** Feeds the input to the product; throws where the product breaks a promise. May be given the input's own bytes. */
  readonly run: (input: Buffer) => void | Promise<void>;
  /** Frees what the target holds. */
  readonly close?: () => Promise<void>;
}

export const TARGETS = ['pdu', 'command', 'dataset', 'pixels', 'config', 'admin', 'api'] as const;
export type TargetName = (typeof TARGETS)[number];

/** CPU time that one case may take, of all threads of its process. */
export const CPU_LIMIT_MS = 1000;
/** A case that uses no CPU either has stalled after so long. */
export const STALL_LIMIT_MS = 30_000;

export type FindingKind = 'crash' | 'hang' | 'memory';

/** From the process with the target to its supervisor. */
export type WorkerMessage =
  | { readonly type: 'progress'; readonly next: number; readonly maxRssMb: number }
  | {
      readonly type: 'finding';
      readonly kind: FindingKind;
      readonly index: number;
      readonly input: Buffer;
      readonly message: string;
    }
  | { readonly type: 'done' };

export interface WorkerOptions {
  /** File of the target's module, whose export `target` it is. */
  readonly module: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Folders with inputs to begin with; those that reach new code are added to the last one. */
  readonly corpus: readonly string[];
  /** Holds the case that is running, for when the process does not live to tell. */
  readonly journal: string;
  /** Inputs to run as they are instead of mutated ones. */
  readonly replay?: readonly string[];
}
