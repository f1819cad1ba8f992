/** What the API says of the configuration file. */

export interface Problem {
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
  /** From 1. */
  readonly line?: number;
  readonly column?: number;
}

export interface CheckedText {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

export interface CurrentRouting extends CheckedText {
  readonly text: string;
  /** Hash of the text: what a change is made from. */
  readonly version: string;
}

export interface RuleChange {
  readonly route: string;
  readonly change: 'added' | 'removed' | 'changed' | 'moved';
  readonly parts?: readonly string[];
}

export interface Replay {
  readonly studies: number;
  readonly rerouted: readonly {
    readonly studyInstanceUid: string;
    readonly outcome: 'positive' | 'negative' | 'undetermined' | 'not-eligible' | 'failed';
    readonly lastInstanceAt: number;
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly routesBefore: readonly string[];
    readonly routesAfter: readonly string[];
    readonly unsent: boolean;
  }[];
}

export interface Version {
  readonly version: string;
  readonly who: string;
  readonly appliedAt: number;
  readonly reason: string;
}
