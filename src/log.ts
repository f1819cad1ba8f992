import { pino } from 'pino';

/** What every part logs through: pino's own shape, so that a test can pass a silent one. */
export type Log = pino.Logger;

/**
 * The root logger. Stages log UIDs, AE titles, counts, codes and times; these paths are the net below that rule, so
 * that a whole dataset handed to the logger by mistake gives no patient away.
 */
export function createLog(options: { level: string; destination?: 'stdout' | 'stderr' }): Log {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: PATIENT_KEYWORDS.flatMap((keyword) => [keyword, `*.${keyword}`, `*.*.${keyword}`]),
      censor: '[redacted]',
    },
  };
  return pino(settings, pino.destination(options.destination === 'stderr' ? 2 : 1));
}

/** Patient module and other identifying attributes by keyword (PS3.15 Table E.1-1, the direct identifiers). */
const PATIENT_KEYWORDS = [
  'PatientName',
  'PatientID',
  'PatientBirthDate',
  'PatientAddress',
  'PatientTelephoneNumbers',
  'OtherPatientIDs',
  'OtherPatientNames',
  'AccessionNumber',
  'ReferringPhysicianName',
];
