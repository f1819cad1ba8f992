import dimse, { type association } from 'dcmjs-dimse';
import {
  COMPREHENSIVE_3D_SR,
  COMPREHENSIVE_SR,
  CT_IMAGE,
  ENHANCED_CT_IMAGE,
  KEY_OBJECT_SELECTION,
  SECONDARY_CAPTURE,
  STUDY_ROOT_FIND,
} from '../dicom/sop-classes.js';
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  TRANSFER_SYNTAXES,
} from '../dicom/transfer-syntaxes.js';
import { StageError } from '../domain/failure.js';
import type { StorableKind } from '../domain/result-object.js';
import { associate, type Peer } from './association.js';

/** What a peer said to one SOP class: the transfer syntaxes that it takes, by UID. */
export interface ClassAnswer {
  readonly sopClassUid: string;
  readonly transferSyntaxUids: readonly string[];
}

/** What goes as which SOP class. */
export const KIND_CLASSES: Readonly<Record<StorableKind, readonly string[]>> = {
  sr: [COMPREHENSIVE_3D_SR],
  'comprehensive-sr': [COMPREHENSIVE_SR],
  heatmap: [SECONDARY_CAPTURE],
  summary: [SECONDARY_CAPTURE],
  'key-objects': [KEY_OBJECT_SELECTION],
  original: [CT_IMAGE, ENHANCED_CT_IMAGE],
};

const OWN_SYNTAXES = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];

/** Classes of results, in the syntaxes that Vigil writes; images in any that they may have come in. */
const PROPOSED: readonly ClassAnswer[] = [
  ...[COMPREHENSIVE_3D_SR, COMPREHENSIVE_SR, SECONDARY_CAPTURE, KEY_OBJECT_SELECTION].map(
    (sopClassUid) => ({ sopClassUid, transferSyntaxUids: OWN_SYNTAXES }),
  ),
  ...KIND_CLASSES.original.map((sopClassUid) => ({
    sopClassUid,
    transferSyntaxUids: TRANSFER_SYNTAXES.map(({ uid }) => uid),
  })),
  { sopClassUid: STUDY_ROOT_FIND, transferSyntaxUids: OWN_SYNTAXES },
];

/**
 * Proposes every SOP class that Vigil may send, each in each transfer syntax in a presentation context of its own
 * (PS3.8 9.3.2.2): of several in one context a peer would take one and say nothing of the others. Nothing is stored.
 *
 * @throws StageError where there is no association
 */
export async function askWhatIsTaken(peer: Peer): Promise<readonly ClassAnswer[]> {
  const taken = new Map<string, string[]>();
  let accepted = false;
  const broken = await associate(peer, {
    // The library opens no association without a request; it is not sent.
    requests: [new dimse.requests.CEchoRequest()],
    contexts: PROPOSED.flatMap(({ sopClassUid, transferSyntaxUids }) =>
      transferSyntaxUids.map(
        (uid) => new dimse.association.PresentationContext(0, sopClassUid, uid),
      ),
    ),
    sendable: (granted) => {
      accepted = true;
      noteAccepted(granted, taken);
      return [];
    },
  });
  if (broken !== undefined && !accepted) {
    throw new StageError(broken.code, broken.failureClass, broken.text);
  }
  return PROPOSED.map(({ sopClassUid }) => ({
    sopClassUid,
    transferSyntaxUids: taken.get(sopClassUid) ?? [],
  }));
}

/** Result of a presentation context in A-ASSOCIATE-AC (PS3.8 Table 9-18). */
const ACCEPTANCE = 0;

function noteAccepted(granted: association.Association, taken: Map<string, string[]>): void {
  for (const { id } of granted.getPresentationContexts()) {
    const context = granted.getPresentationContext(id);
    const syntax = context.getAcceptedTransferSyntaxUid();
    if (context.getResult() !== ACCEPTANCE || syntax === undefined) continue;
    const sopClassUid = context.getAbstractSyntaxUid();
    const known = taken.get(sopClassUid) ?? [];
    if (!known.includes(syntax)) taken.set(sopClassUid, [...known, syntax]);
  }
}
