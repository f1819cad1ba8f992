/** Why an image's pixels cannot be read; none of these changes by trying again. */
export type PixelErrorCode =
  | 'not-dicom'
  | 'no-pixel-data'
  | 'frame-missing'
  | 'dimensions-invalid'
  | 'bits-unsupported'
  | 'not-monochrome'
  | 'pixel-data-too-short'
  | 'too-large'
  | 'transfer-syntax-unsupported'
  | 'codestream-invalid'
  | 'value-mapping-invalid';

/** Messages name attributes and sizes, never values that tell a patient. */
export class PixelError extends Error {
  readonly code: PixelErrorCode;

  constructor(code: PixelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PixelError';
    this.code = code;
  }
}
