export type ModelPackageErrorCode =
  | 'manifest-unreadable'
  | 'manifest-invalid'
  | 'file-unreadable'
  | 'hash-mismatch'
  | 'graph-mismatch'
  | 'key-unreadable'
  | 'calibration-invalid'
  | 'calibration-mismatch'
  | 'prevalence-unknown'
  | 'signature-missing'
  | 'signature-wrong';

/** A package that differs from its manifest, or that nobody trusted has signed, is refused whole. */
export class ModelPackageError extends Error {
  readonly code: ModelPackageErrorCode;

  constructor(code: ModelPackageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ModelPackageError';
    this.code = code;
  }
}
