import type { ClassName, Outcome, Presence, Reason } from './finding.js';
import type { Urgency } from './urgency.js';

/** What names the patient and the order, as the images have it; what they lack is left out. Values of DICOM VRs. */
export interface PatientContext {
  readonly patientName?: string;
  readonly patientId?: string;
  readonly issuerOfPatientId?: string;
  /** VR DA. */
  readonly patientBirthDate?: string;
  readonly patientSex?: string;
  readonly accessionNumber?: string;
  readonly studyId?: string;
  /** VR DA and TM. */
  readonly studyDate?: string;
  readonly studyTime?: string;
  readonly studyDescription?: string;
  readonly referringPhysicianName?: string;
  readonly placerOrderNumber?: string;
  readonly fillerOrderNumber?: string;
}

/** What is told of one finding to people and systems; kept as JSON, and the same in every attempt. */
export interface Notification {
  /** A UID of its own: a receiver knows a repeat by it. */
  readonly uid: string;
  readonly studyInstanceUid: string;
  /** From 1; a later one takes the place of those before. */
  readonly revision: number;
  readonly outcome: Outcome;
  readonly urgency: Urgency;
  readonly reason?: Reason;
  /** One line, and whole sentences, for people; without patient data. */
  readonly headline: string;
  readonly impression: string;
  readonly classes: readonly {
    readonly name: ClassName;
    /** Calibrated, 0..1. */
    readonly probability: number;
    readonly presence: Presence;
  }[];
  /** The structured report in each SOP class that it was made in, of which an archive gets one; absent where none was made. */
  readonly reports?: readonly { readonly sopClassUid: string; readonly sopInstanceUid: string }[];
  readonly model: { readonly name: string; readonly version: string };
  /** Milliseconds since the epoch. */
  readonly analysedAt: number;
  readonly patient: PatientContext;
}
