/** A transfer syntax as far as receiving and reading headers ask (PS3.5 A, PS3.6 Table A-1). */
export interface TransferSyntax {
  readonly uid: string;
  readonly name: string;
  /** Whether pixel values always come out as they went in. */
  readonly lossless: boolean;
}

export const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
export const DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1.99';
export const EXPLICIT_VR_BIG_ENDIAN = '1.2.840.10008.1.2.2';

/** The transfer syntaxes that instances are taken and stored in (PS3.6 Table A-1). */
export const TRANSFER_SYNTAXES: readonly TransferSyntax[] = [
  { uid: IMPLICIT_VR_LITTLE_ENDIAN, name: 'Implicit VR Little Endian', lossless: true },
  { uid: EXPLICIT_VR_LITTLE_ENDIAN, name: 'Explicit VR Little Endian', lossless: true },
  {
    uid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    name: 'Deflated Explicit VR Little Endian',
    lossless: true,
  },
  { uid: EXPLICIT_VR_BIG_ENDIAN, name: 'Explicit VR Big Endian', lossless: true },
  { uid: '1.2.840.10008.1.2.5', name: 'RLE Lossless', lossless: true },
  { uid: '1.2.840.10008.1.2.4.50', name: 'JPEG Baseline (Process 1)', lossless: false },
  { uid: '1.2.840.10008.1.2.4.51', name: 'JPEG Extended (Process 2 and 4)', lossless: false },
  { uid: '1.2.840.10008.1.2.4.57', name: 'JPEG Lossless (Process 14)', lossless: true },
  {
    uid: '1.2.840.10008.1.2.4.70',
    name: 'JPEG Lossless (Process 14, Selection Value 1)',
    lossless: true,
  },
  { uid: '1.2.840.10008.1.2.4.80', name: 'JPEG-LS Lossless', lossless: true },
  { uid: '1.2.840.10008.1.2.4.81', name: 'JPEG-LS Near-lossless', lossless: false },
  { uid: '1.2.840.10008.1.2.4.90', name: 'JPEG 2000 Lossless Only', lossless: true },
  { uid: '1.2.840.10008.1.2.4.91', name: 'JPEG 2000', lossless: false },
  { uid: '1.2.840.10008.1.2.4.201', name: 'HTJ2K Lossless Only', lossless: true },
  { uid: '1.2.840.10008.1.2.4.202', name: 'HTJ2K Lossless RPCL', lossless: true },
  { uid: '1.2.840.10008.1.2.4.203', name: 'HTJ2K', lossless: false },
];
