import type { Notification } from '../../../src/domain/notification.js';

/** A bleed of a patient with a name that ASCII does not have. */
export const BLEED: Notification = {
  uid: '2.25.1234567890',
  studyInstanceUid: '1.2.3.4',
  revision: 1,
  outcome: 'positive',
  urgency: 'immediate',
  headline: 'Suspected intracranial hemorrhage',
  impression: 'Suspected intracranial hemorrhage: subdural 94 %. For research use only.',
  classes: [
    { name: 'subdural', probability: 0.94, presence: 'present' },
    { name: 'any', probability: 0.97, presence: 'present' },
  ],
  reports: [{ sopClassUid: '1.2.840.10008.5.1.4.1.1.88.34', sopInstanceUid: '2.25.99' }],
  model: { name: 'vigil-ich-small', version: '1.0.0' },
  analysedAt: Date.UTC(2026, 2, 2, 1, 14, 7),
  patient: {
    patientName: 'Müller^Jürgen',
    patientId: 'PID-4711',
    patientBirthDate: '19490307',
    patientSex: 'M',
    accessionNumber: 'ACC-99',
    studyDate: '20260302',
    studyTime: '011200',
    studyDescription: 'CT Schädel nativ',
  },
};

/** A study that no answer was had of. */
export const NOT_READ: Notification = {
  ...BLEED,
  uid: '2.25.987654321',
  outcome: 'not-eligible',
  urgency: 'prompt',
  reason: { code: 'no-axial', text: 'No axial series' },
  headline: 'NOT ANALYSED: no suitable series',
  impression: 'NOT ANALYSED: no suitable series. This is not a negative result.',
  classes: [],
};

/** All that names the patient or the order. */
export const NAMING = /Müller|M=C3=BCller|J=C3=BCrgen|4711|1949|ACC-99|Sch/;
