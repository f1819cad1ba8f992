import { createHash } from 'node:crypto';
import type { PatientIdentity } from '../domain/patient.js';

/** Values as a dataset states them, without padding. */
export interface PatientValues {
  readonly patientId?: string | undefined;
  readonly issuerOfPatientId?: string | undefined;
  readonly patientBirthDate?: string | undefined;
  readonly patientSex?: string | undefined;
}

/**
 * The hashes that stand for a patient. Birth date and sex are hashed with the ID, as each alone is easily guessed; a
 * value that is no date, or no sex that another one could contradict, counts as not stated.
 */
export function patientIdentity(values: PatientValues): PatientIdentity {
  const { patientId = '', issuerOfPatientId: issuer } = values;
  // Legacy dates have dots between their parts (PS3.5 Table 6.2-1, DA, note 1).
  const birthDate = values.patientBirthDate?.replaceAll('.', '');
  const sex = values.patientSex?.toUpperCase();
  return {
    id: hashOf(patientId, ''),
    ...(issuer && { issuer: hashOf(patientId, issuer) }),
    ...(birthDate && /^\d{8}$/.test(birthDate) && { birthDate: hashOf(patientId, birthDate) }),
    ...((sex === 'F' || sex === 'M') && { sex: hashOf(patientId, sex) }),
  };
}

function hashOf(patientId: string, value: string): string {
  return createHash('sha256').update(`${patientId}\0${value}`).digest('hex');
}
