/**
 * What a failed attempt says about the next one. `transient`: nothing happened, try again. `ambiguous`: it may have
 * happened (the answer was lost); try again, the same UIDs make a repeat harmless. `permanent`: a repeat cannot help.
 */
export type FailureClass = 'transient' | 'ambiguous' | 'permanent';

/** Whether a code is that of a file that is gone, cannot be read or is not what it was. */
export function isBadFile(code: string): boolean {
  return /^(slice|file)-/.test(code);
}

/** An error that a stage settles by its class; `code` is for scripts, the message for people, without patient data. */
export class StageError extends Error {
  readonly code: string;
  readonly failureClass: FailureClass;

  constructor(code: string, failureClass: FailureClass, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StageError';
    this.code = code;
    this.failureClass = failureClass;
  }
}
