import type { ProofSettlement } from '../domain/delivery-state.js';
import type { FailureClass } from '../domain/failure.js';
import { contradicts, type PatientIdentity } from '../domain/patient.js';
import type { VerifyPolicy } from './deliver.js';

/** Names one instance the way the hierarchical search wants it (PS3.4 C.4.1.2.1): with the keys above it. */
export interface InstanceKeys {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}

/** An object that its destination answered with success, and that is to be proven. */
export interface StoredDelivery extends InstanceKeys {
  readonly sopClassUid: string;
  /** How often the destination has said that it has it not, or has not reported. */
  readonly looks: number;
  /** How often it could not be asked since it stored the object. */
  readonly unasked: number;
  /** Of the request for storage commitment whose report is waited for. */
  readonly transactionUid: string | null;
  /** Whose the study is. */
  readonly patient: PatientIdentity;
}

/** What the stage needs from the catalog. Times are milliseconds since the epoch. */
export interface ProofLedger<Stored extends StoredDelivery> {
  /** What the destination is to be asked for by now, or should have reported by now, what waits longest first. */
  storedDue(destination: string, limit: number, now: number): readonly Stored[];
  nextLookAt(destination: string): number | undefined;
  settleProof(delivery: Stored, settlement: ProofSettlement): void;
  /** Writes down that the destination is about to be asked to commit to deliveries, and when its report is overdue. */
  beginCommitment(transactionUid: string, deliveries: readonly Stored[], overdueAt: number): void;
  /** Of what a transaction named that which still waits for proof; undefined where the destination has no such one. */
  awaiting(destination: string, transactionUid: string): readonly Stored[] | undefined;
}

/** What the peer says of one instance; `text` is for people and holds no patient data. */
export type ProofResult =
  /** With the patient under whom the peer files the study, where it was asked and says so. */
  | { readonly type: 'found'; readonly patient?: PatientIdentity | undefined }
  | {
      readonly type: 'not-found';
      readonly code?: string;
      /** Set where sending it again cannot help. */
      readonly lasting?: boolean;
    }
  | ProofFailure;

/** The peer could not be asked. */
export interface ProofFailure {
  readonly type: 'failed';
  readonly failureClass: FailureClass;
  readonly code: string;
  readonly text: string;
  readonly status?: number | undefined;
  /** Set where the association failed before this instance's turn. */
  readonly untried?: boolean | undefined;
}

/** Times in milliseconds; `now` since the epoch, the others from then. */
export interface ProofRules {
  readonly verify: VerifyPolicy;
  /** How often the destination may not be asked. */
  readonly attempts: number;
  /** Set where it was asked before its back-off was over, which counts for nothing where it failed. */
  readonly early: boolean;
  readonly now: number;
  readonly resendIn: number;
  readonly lookIn: number;
}

export function proofFor(
  { looks, unasked, patient }: Pick<StoredDelivery, 'looks' | 'unasked' | 'patient'>,
  result: ProofResult,
  rules: ProofRules,
): ProofSettlement {
  const { verify, attempts, early, now, resendIn, lookIn } = rules;
  if (result.type === 'found') {
    const refiled = result.patient !== undefined && contradicts(result.patient, patient);
    return { type: 'proven', ...(refiled && { refiled }) };
  }
  if (result.type === 'not-found') {
    const { code = 'not-found', lasting = false } = result;
    const last = lasting || looks + 1 >= verify.attempts;
    return { type: 'not-there', code, ...(last ? {} : { retryAt: now + resendIn }) };
  }
  const { code, status, failureClass, untried } = result;
  // Sending again would not help a peer that cannot be asked at all: a person has to see it.
  const hopeless = failureClass === 'permanent' && !untried;
  if (hopeless || (!early && unasked + 1 >= attempts)) return { type: 'not-there', code, status };
  // What was not asked for keeps its place, so that one question without an answer holds up no other.
  return { type: 'put-off', code, lookAt: untried ? now : now + lookIn, unasked: !early };
}

/** What becomes of a delivery whose report has not come in time: it is asked for anew, so many times. */
export function overdueProof(
  { looks }: Pick<StoredDelivery, 'looks'>,
  verify: VerifyPolicy,
  now: number,
): ProofSettlement {
  const code = 'commitment-not-reported';
  if (looks + 1 >= verify.attempts) return { type: 'not-there', code };
  return { type: 'put-off', code, lookAt: now, counted: true };
}
