/** A VR's two letters as they lie in a dataset, read as one number, big endian: no text is made of each element's. */
function codeOf(vr: string): number {
  return (vr.charCodeAt(0) << 8) | vr.charCodeAt(1);
}

/** VRs with a length of 16 bits; all others, those still to come too, have 32 (PS3.5 Table 7.1-2, 7.1-1). */
const SHORT_VRS = new Set(
  'AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US'.split(' ').map(codeOf),
);

export const UN = codeOf('UN');

export function isShortVr(vr: string): boolean {
  return SHORT_VRS.has(codeOf(vr));
}

export function isShortVrCode(code: number): boolean {
  return SHORT_VRS.has(code);
}

/** Whether the code is of two capital letters, as every VR is. */
export function isVrCode(code: number): boolean {
  return isCapital(code >> 8) && isCapital(code & 0xff);
}

function isCapital(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

/** The length of what ends at its delimiter (PS3.5 7.1). */
export const UNDEFINED_LENGTH = 0xffffffff;
