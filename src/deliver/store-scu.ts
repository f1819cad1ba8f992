import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import dimse, { type association, type responses } from 'dcmjs-dimse';
import { readFileMeta } from '../dicom/file-meta.js';
import { explicitToImplicit } from '../dicom/implicit-vr.js';
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '../dicom/transfer-syntaxes.js';
import { type EncodedInstance, VerbatimDataset } from '../dicom/verbatim-dataset.js';
import type { SendSyntax } from '../domain/routing.js';
import type { SendOptions, SendResult } from '../domain/send-result.js';
import type { Priority } from '../domain/urgency.js';
import { associate, type Peer } from './association.js';
import { type AssociationFailure, timeoutFailure } from './association-failure.js';
import { storeStatusMeaning } from './store-status.js';

/** An object to send: a Part 10 file and what its file meta information says. */
export interface OutgoingObject extends EncodedInstance {
  /** Path of the Part 10 file. */
  readonly file: string;
  /** Hex SHA-256 of the whole file, where it is known: a file that is not so any more is not sent. */
  readonly sha256?: string | undefined;
  /** Likewise of its dataset alone. */
  readonly datasetSha256?: string | undefined;
  /** Also told to the peer (PS3.7 9.1.1.1.5). */
  readonly priority?: Priority | undefined;
  /** The only transfer syntax that it may go in; without one it goes in its own, or as the peer needs it. */
  readonly sendSyntax?: SendSyntax | undefined;
}

/**
 * Sends objects by C-STORE (PS3.4 B), in order, their datasets byte for byte; one in Explicit VR Little Endian goes as
 * Implicit VR Little Endian to a peer that takes nothing else. Resolves to one result for each object and never
 * rejects. The object that an association breaks on fails alone, and another association takes the ones behind it;
 * they fail untried where none can be had, or where several objects in a row get no answer.
 */
export async function sendObjects(
  peer: Peer,
  objects: readonly OutgoingObject[],
  options: SendOptions = {},
): Promise<readonly SendResult[]> {
  const results = new Array<SendResult | undefined>(objects.length);
  const settle = (index: number, result: SendResult): void => {
    if (results[index] !== undefined) return;
    results[index] = result;
    options.onResult?.(index, result);
  };
  let waiting: readonly number[] = [...objects.keys()];
  let breaks = 0;
  while (waiting.length > 0) {
    const { batch, rest } = await readBatch(objects, waiting, settle);
    waiting = rest;
    if (batch.length === 0) continue;
    const broken = await associate(peer, {
      requests: batch,
      contexts: contextsFor(batch),
      sendable: (accepted) => batch.filter((request) => request.choose(accepted)),
      signal: options.signal,
    });
    const open = batch.filter(({ index }) => results[index] === undefined);
    const lost = open.filter((request) => broken === undefined || request.written);
    for (const { index } of lost) settle(index, responseLost(broken));
    // What was answered stays answered, however the association ended.
    if (broken === undefined || open.length === 0) continue;
    waiting = [...open.filter((request) => !lost.includes(request)).map((r) => r.index), ...rest];
    breaks = open.length < batch.length ? 1 : breaks + 1;
    const most = broken.code === RESPONSE_TIMEOUT ? MAX_TIMEOUTS : MAX_BREAKS;
    if (lost.length === 0 || breaks >= most || options.signal?.aborted) {
      for (const index of waiting) settle(index, { type: 'failed', ...broken, untried: true });
      break;
    }
  }
  return results as SendResult[];
}

/** An association has 128 presentation contexts (PS3.8 9.3.2.2), and an object may need two of its own. */
const MAX_OBJECTS = 64;

/** The datasets of one association wait in memory. */
const MAX_BYTES = 32 * 2 ** 20;

/** Associations in a row that may break before any object is answered; a timeout makes the others wait longer. */
const MAX_BREAKS = 8;
const MAX_TIMEOUTS = 2;

/** Reads the next objects for one association; `rest` are the indexes behind them. What cannot be read is settled. */
async function readBatch(
  objects: readonly OutgoingObject[],
  waiting: readonly number[],
  settle: Settle,
): Promise<{ batch: StoreRequest[]; rest: readonly number[] }> {
  const batch: StoreRequest[] = [];
  let bytes = 0;
  let read = 0;
  while (read < waiting.length && batch.length < MAX_OBJECTS && bytes < MAX_BYTES) {
    const index = waiting[read++] as number;
    const object = objects[index] as OutgoingObject;
    try {
      const dataset = await readDataset(object);
      bytes += dataset.length;
      batch.push(new StoreRequest(index, object, dataset, settle));
    } catch (error) {
      settle(index, unreadable(error));
    }
  }
  return { batch, rest: waiting.slice(read) };
}

type Settle = (index: number, result: SendResult) => void;

class StoreRequest extends dimse.requests.CStoreRequest {
  readonly index: number;
  readonly #object: OutgoingObject;
  readonly #bytes: Buffer;
  readonly #settle: Settle;

  constructor(index: number, object: OutgoingObject, bytes: Buffer, settle: Settle) {
    super(new VerbatimDataset(object, bytes), DIMSE_PRIORITY[object.priority ?? 'medium']);
    this.index = index;
    this.#object = object;
    this.#bytes = bytes;
    this.#settle = settle;
    this.on('response', (response: responses.CStoreResponse) => {
      settle(index, resultOf(response.getStatus(), response.getErrorComment()));
    });
  }

  get transferSyntaxUid(): string {
    return this.#object.transferSyntaxUid;
  }

  /** The little endian syntax that a context of its own is asked for. */
  get offeredSyntaxUid(): string {
    const { sendSyntax, transferSyntaxUid } = this.#object;
    return isLittleEndian(transferSyntaxUid) && sendSyntax !== undefined
      ? SYNTAX_UIDS[sendSyntax]
      : transferSyntaxUid;
  }

  get sopClassUid(): string {
    return this.#object.sopClassUid;
  }

  get written(): boolean {
    const dataset = this.getDataset();
    return dataset instanceof VerbatimDataset && dataset.written;
  }

  /** Whether the object can go under the accepted contexts; prepares its bytes or settles it as refused. */
  choose(accepted: Association): boolean {
    const contexts = accepted
      .getPresentationContexts()
      .map(({ id }) => accepted.getPresentationContext(id))
      .filter((context) => context.getAbstractSyntaxUid() === this.sopClassUid);
    const taken = contexts
      .filter((context) => context.getResult() === ACCEPTANCE)
      .map((context) => context.getAcceptedTransferSyntaxUid());
    const offered = this.offeredSyntaxUid;
    if (offered === this.transferSyntaxUid && taken.includes(offered)) return true;
    const mayConvert =
      this.transferSyntaxUid === EXPLICIT_VR_LITTLE_ENDIAN &&
      this.#object.sendSyntax !== 'ExplicitVRLittleEndian';
    if (mayConvert && taken.includes(IMPLICIT_VR_LITTLE_ENDIAN)) return this.#convert();
    const unknownSyntax = contexts.some(
      (context) => context.getResult() === TRANSFER_SYNTAXES_NOT_SUPPORTED,
    );
    this.#settle(
      this.index,
      taken.length > 0 || unknownSyntax ? SYNTAX_NOT_ACCEPTED : CLASS_NOT_ACCEPTED,
    );
    return false;
  }

  #convert(): boolean {
    try {
      const instance = { ...this.#object, transferSyntaxUid: IMPLICIT_VR_LITTLE_ENDIAN };
      this.setDataset(new VerbatimDataset(instance, explicitToImplicit(this.#bytes)));
      return true;
    } catch {
      this.#settle(this.index, SYNTAX_NOT_ACCEPTED);
      return false;
    }
  }
}

type Association = association.Association;

/** Values of Priority (0000,0700), PS3.7 9.3.1.1. */
const DIMSE_PRIORITY: Readonly<Record<Priority, number>> = { medium: 0, high: 1, low: 2 };

const SYNTAX_UIDS: Readonly<Record<SendSyntax, string>> = {
  ImplicitVRLittleEndian: IMPLICIT_VR_LITTLE_ENDIAN,
  ExplicitVRLittleEndian: EXPLICIT_VR_LITTLE_ENDIAN,
};

const isLittleEndian = (transferSyntaxUid: string): boolean =>
  Object.values(SYNTAX_UIDS).includes(transferSyntaxUid);

/** Result of a presentation context in A-ASSOCIATE-AC (PS3.8 Table 9-18). */
const ACCEPTANCE = 0;
const TRANSFER_SYNTAXES_NOT_SUPPORTED = 4;

/**
 * A context of its own for the little endian syntax of each file. The library offers both in one, and many peers take
 * implicit out of that; encapsulated syntaxes it already offers apart.
 */
function contextsFor(batch: readonly StoreRequest[]): association.PresentationContext[] {
  const seen = new Set<string>();
  const contexts: association.PresentationContext[] = [];
  for (const { sopClassUid, offeredSyntaxUid } of batch) {
    const key = `${sopClassUid} ${offeredSyntaxUid}`;
    if (!isLittleEndian(offeredSyntaxUid) || seen.has(key)) continue;
    seen.add(key);
    contexts.push(new dimse.association.PresentationContext(0, sopClassUid, offeredSyntaxUid));
  }
  return contexts;
}

const CLASS_NOT_ACCEPTED: SendResult = {
  type: 'failed',
  failureClass: 'permanent',
  code: 'sop-class-not-accepted',
  text: 'The peer accepts no objects of this SOP class',
};

const SYNTAX_NOT_ACCEPTED: SendResult = {
  type: 'failed',
  failureClass: 'permanent',
  code: 'transfer-syntax-not-accepted',
  text: "The peer accepts the SOP class, but not in this object's transfer syntax",
};

function resultOf(status: number, comment: string | undefined): SendResult {
  const said = { status, ...(comment ? { comment } : {}) };
  const meaning = storeStatusMeaning(status);
  if (meaning.type === 'stored') return { type: 'stored', ...said };
  const { failureClass, code } = meaning;
  const text = `The peer answered 0x${status.toString(16).padStart(4, '0').toUpperCase()}`;
  return { type: 'failed', failureClass, code, text, ...said };
}

/** The bytes were sent, the answer never came: the peer may well have stored the object. */
function responseLost(broken: AssociationFailure | undefined): SendResult {
  const code = broken?.code === RESPONSE_TIMEOUT ? RESPONSE_TIMEOUT : 'response-lost';
  const text = broken?.text ?? 'The peer released the association without a response';
  return { type: 'failed', failureClass: 'ambiguous', code, text };
}

const RESPONSE_TIMEOUT = timeoutFailure('response').code;

async function readDataset({ file, sha256, datasetSha256 }: OutgoingObject): Promise<Buffer> {
  const bytes = await readFile(file);
  if (!isAsRecorded(bytes, sha256)) throw new AlteredError();
  const meta = readFileMeta(bytes);
  if (meta === undefined) throw new NotPart10Error();
  const dataset = bytes.subarray(meta.datasetOffset);
  if (!isAsRecorded(dataset, datasetSha256)) throw new AlteredError();
  return dataset;
}

function isAsRecorded(bytes: Buffer, sha256: string | undefined): boolean {
  return sha256 === undefined || createHash('sha256').update(bytes).digest('hex') === sha256;
}

class AlteredError extends Error {
  readonly code = 'altered';
}

class NotPart10Error extends Error {
  readonly code = 'not-part-10';
}

/** Errors of a file that stay until somebody acts, by what a dead letter is told to have; others may be gone at the next try. */
const LASTING_FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'file-missing',
  altered: 'file-altered',
  'not-part-10': 'file-altered',
  EISDIR: 'file-unreadable',
  EACCES: 'file-unreadable',
};

function unreadable(error: unknown): SendResult {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  const lasting = LASTING_FILE_ERRORS[code];
  return {
    type: 'failed',
    failureClass: lasting === undefined ? 'transient' : 'permanent',
    code: lasting ?? 'file-unreadable',
    text: `The file cannot be sent (${code})`,
  };
}
