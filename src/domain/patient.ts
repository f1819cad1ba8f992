/**
 * Who an image is of (PS3.3 C.7.1.1), as hashes that tell patients apart without naming them. What is not stated is
 * left out; names are not compared, since the same person's is spelled in many ways.
 */
export interface PatientIdentity {
  /** Of Patient ID, also where it is empty. */
  readonly id: string;
  /** Of Issuer of Patient ID. */
  readonly issuer?: string;
  readonly birthDate?: string;
  readonly sex?: string;
}

/** Whether two images cannot be of one patient: what both state differs. */
export function contradicts(a: PatientIdentity, b: PatientIdentity): boolean {
  const differ = (x: string | undefined, y: string | undefined) =>
    x !== undefined && y !== undefined && x !== y;
  return (
    a.id !== b.id ||
    differ(a.issuer, b.issuer) ||
    differ(a.birthDate, b.birthDate) ||
    differ(a.sex, b.sex)
  );
}
