/** No space is left, or less than the configured minimum. */
export class StorageFullError extends Error {
  readonly code = 'storage-full';

  constructor(options?: ErrorOptions) {
    super('The storage is full', options);
    this.name = 'StorageFullError';
  }
}

/** The disk failed in another way; `cause` says how. */
export class StorageFailedError extends Error {
  readonly code = 'storage-failed';

  constructor(options: ErrorOptions) {
    super('The storage failed', options);
    this.name = 'StorageFailedError';
  }
}

export function storageError(cause: unknown): StorageFullError | StorageFailedError {
  const { code } = cause as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return isFull ? new StorageFullError({ cause }) : new StorageFailedError({ cause });
}
