/** What is told of a version that somebody else has applied. */
export interface AppliedVersion {
  readonly version: number;
  readonly who: string;
  /** Milliseconds since the epoch. */
  readonly appliedAt: number;
  readonly reason: string;
}

/** Somebody has changed the file since the version that a change was made from. */
export class ConfigConflictError extends Error {
  readonly code = 'config-conflict';
  /** Of what the file holds now. */
  readonly hash: string;
  /** The versions since, newest first; none where it is not known what the change was made from. */
  readonly since: readonly AppliedVersion[];

  constructor(from: string, hash: string, since: readonly AppliedVersion[]) {
    const changes = since.map(
      ({ version, who, appliedAt, reason }) =>
        `  version ${version} by ${who} at ${new Date(appliedAt).toISOString()}: ${reason}`,
    );
    const what =
      changes.length > 0
        ? `was changed since version ${shortHash(from)}:\n${changes.join('\n')}`
        : `is not version ${shortHash(from)}`;
    super(
      `The configuration ${what}\nTake what is there now (${shortHash(hash)}), put your change into it, and apply that`,
    );
    this.name = 'ConfigConflictError';
    this.hash = hash;
    this.since = since;
  }
}

/** There is no such version. */
export class NoVersionError extends Error {
  readonly code = 'no-version';

  constructor(reference: string) {
    super(`There is no version "${reference}": vigil config history lists them`);
    this.name = 'NoVersionError';
  }
}

/** How people are told a hash. */
export const shortHash = (hash: string) => hash.slice(0, 12);
