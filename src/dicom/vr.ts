/** VRs with a length of 16 bits; all others, those still to come too, have 32 (PS3.5 Table 7.1-2, 7.1-1). */
const SHORT_VRS = new Set(
  'AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US'.split(' '),
);

export function isShortVr(vr: string): boolean {
  return SHORT_VRS.has(vr);
}

/** The length of what ends at its delimiter (PS3.5 7.1). */
export const UNDEFINED_LENGTH = 0xffffffff;
