import dimse, { type association, type responses } from 'dcmjs-dimse';
import { withoutPadding } from '../dicom/padding.js';
import { patientIdentity } from '../dicom/patient-identity.js';
import { Status } from '../dicom/status.js';
import type { PatientIdentity } from '../domain/patient.js';
import { associate, type Peer } from './association.js';
import type { InstanceKeys, ProofResult } from './proof.js';

/**
 * Asks a peer by C-FIND in the Study Root model (PS3.4 C.6.2) which instances it holds, at IMAGE level with one request
 * for each, and then at STUDY level of whom their studies are; all on one association. Resolves to one result for each
 * instance and never rejects; a peer that says nothing of the patients proves its instances all the same.
 */
export async function findInstances(
  peer: Peer,
  instances: readonly InstanceKeys[],
  signal?: AbortSignal,
): Promise<readonly ProofResult[]> {
  const searches = instances.map((keys) => new InstanceSearch(keys));
  const studies = new Set(instances.map(({ studyInstanceUid }) => studyInstanceUid));
  const patients = new Map([...studies].map((uid) => [uid, new PatientSearch(uid)]));
  let accepted = true;
  const broken = await associate(peer, {
    requests: [...searches, ...patients.values()],
    sendable: (granted) => {
      accepted = searches.every((search) => search.fits(granted));
      return accepted ? [...searches, ...patients.values()] : [];
    },
    signal,
  });
  // The library sends the next request when the one before is answered: the first without an answer is the one at fault.
  const stuck = searches.find((search) => search.result === undefined);
  return searches.map((search, i): ProofResult => {
    if (search.result?.type === 'found') {
      const { patient } = patients.get(instances[i]?.studyInstanceUid ?? '') ?? {};
      return { ...search.result, patient };
    }
    if (search.result !== undefined) return search.result;
    if (!accepted) return NOT_ACCEPTED;
    const { code, text } = broken ?? NO_RESPONSE;
    return {
      type: 'failed',
      failureClass: broken?.failureClass ?? 'transient',
      code,
      text,
      untried: search !== stuck || !search.begun,
    };
  });
}

const NOT_ACCEPTED: ProofResult = {
  type: 'failed',
  failureClass: 'permanent',
  code: 'find-not-accepted',
  text: 'The peer accepts no C-FIND in the Study Root model',
};

const NO_RESPONSE = {
  code: 'response-lost',
  text: 'The peer released the association without a response',
};

type Association = association.Association;

class InstanceSearch extends dimse.requests.CFindRequest {
  result: ProofResult | undefined;
  /** Whether an association that takes it was there. */
  begun = false;
  #seen = false;

  constructor(keys: InstanceKeys) {
    super();
    this.setDataset(
      new dimse.Dataset({
        QueryRetrieveLevel: 'IMAGE',
        StudyInstanceUID: keys.studyInstanceUid,
        SeriesInstanceUID: keys.seriesInstanceUid,
        SOPInstanceUID: keys.sopInstanceUid,
      }),
    );
    this.on('response', (response: responses.CFindResponse) => {
      const status = response.getStatus();
      if (isPending(status)) {
        // Some peers answer with more than they were asked for.
        const found = response.getDataset()?.getElements()?.['SOPInstanceUID'];
        this.#seen ||= String(found).replace(/[\0 ]+$/, '') === keys.sopInstanceUid;
      } else if (status === Status.Success) {
        this.result = { type: this.#seen ? 'found' : 'not-found' };
      } else {
        this.result = refusal(status);
      }
    });
  }

  fits(granted: Association): boolean {
    this.begun = granted.getAcceptedPresentationContextFromRequest(this) !== undefined;
    return this.begun;
  }
}

/** Of whom the peer says that a study is. */
class PatientSearch extends dimse.requests.CFindRequest {
  patient: PatientIdentity | undefined;

  constructor(studyInstanceUid: string) {
    super();
    const wanted = { PatientID: '', IssuerOfPatientID: '', PatientBirthDate: '', PatientSex: '' };
    this.setDataset(
      new dimse.Dataset({
        QueryRetrieveLevel: 'STUDY',
        StudyInstanceUID: studyInstanceUid,
        ...wanted,
      }),
    );
    this.on('response', (response: responses.CFindResponse) => {
      if (!isPending(response.getStatus())) return;
      const elements = response.getDataset()?.getElements() ?? {};
      if (textOf(elements['StudyInstanceUID']) !== studyInstanceUid) return;
      const patientId = textOf(elements['PatientID']);
      if (patientId === undefined) return;
      this.patient = patientIdentity({
        patientId,
        issuerOfPatientId: textOf(elements['IssuerOfPatientID']),
        patientBirthDate: textOf(elements['PatientBirthDate']),
        patientSex: textOf(elements['PatientSex']),
      });
    });
  }
}

/** A single value without its padding; undefined where it is empty or none. */
function textOf(value: unknown): string | undefined {
  const text = typeof value === 'string' ? withoutPadding(value) : '';
  return text === '' ? undefined : text;
}

/** Matches are continuing (PS3.4 Table C.4-1), also where the peer does not support an optional key. */
function isPending(status: number): boolean {
  return status === 0xff00 || status === 0xff01;
}

/** Statuses of a C-FIND that a repeat cannot help (PS3.4 Table C.4-1 and PS3.7 C.5). */
const LASTING: Readonly<Record<number, string>> = {
  [Status.SopClassNotSupported]: 'find-not-accepted',
  292: 'not-authorized',
  [Status.UnrecognizedOperation]: 'find-not-accepted',
  [Status.DataSetDoesNotMatchSopClass]: 'find-identifier-refused',
};

function refusal(status: number): ProofResult {
  const code = LASTING[status];
  return {
    type: 'failed',
    failureClass: code === undefined ? 'transient' : 'permanent',
    code: code ?? 'find-failed',
    text: `The peer answered C-FIND with 0x${status.toString(16).padStart(4, '0').toUpperCase()}`,
    status,
  };
}
