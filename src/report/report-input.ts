import type { Finding } from '../domain/finding.js';
import type { StoredInstance } from '../domain/instance.js';
import type { ReferencedObject } from './evidence.js';

/** The report that this one supersedes. */
export interface PredecessorReport extends ReferencedObject {
  /** What peers have in its place that do not take its SOP class; superseded by this report's own fallback. */
  readonly fallback?: ReferencedObject;
}

export interface ReportOptions {
  /** Burned into every picture and written into every report; never empty. */
  readonly researchText: string;
  /** Version of the node's software. */
  readonly softwareVersion: string;
  /** Tells this node from others (PS3.3 C.7.5.2). */
  readonly deviceSerialNumber: string;
  /** Written where the source names no institution. */
  readonly institutionName?: string;
}

export interface ReportInput {
  readonly finding: Finding;
  /** Of the series read, or of any series of the study where none was; at least one. */
  readonly sourceInstances: readonly StoredInstance[];
  /** Reads a stored Part 10 file whole. */
  readonly readFile: (path: string) => Promise<Uint8Array>;
  readonly predecessor?: PredecessorReport;
  /** Set where the predecessor says the same and was lost: peers may have another content under its UIDs. */
  readonly isRemade?: boolean;
  /** Counts the study's analyses from 1. */
  readonly revision: number;
  /** When the finding was made: the date and time of the objects, so that a repeat gives the same bytes. */
  readonly createdAt: Date;
  readonly options: ReportOptions;
}

/** Why no report can be made of a finding; messages hold no patient data. */
export class ReportError extends Error {
  readonly code:
    | 'no-source'
    | 'source-missing'
    | 'source-unreadable'
    | 'no-research-text'
    | 'heat-map-invalid';

  constructor(code: ReportError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ReportError';
    this.code = code;
  }
}
