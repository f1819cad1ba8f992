import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, TLSSocket } from 'node:tls';
import dimse, { type association, type Client, type requests, type responses } from 'dcmjs-dimse';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from '../dicom/file-meta.js';
// Also silences the library, which would print associations and values.
import '../dicom/verbatim-dataset.js';
import { Status } from '../dicom/status.js';
import type { Credentials } from '../tls/credentials.js';
import { BCP_195 } from '../tls/profile.js';
import {
  type AssociationFailure,
  abortFailure,
  CANCELLED,
  CLOSED_UNHEARD,
  connectionFailure,
  credentialsFailure,
  handshakeFailure,
  PEER_RELEASED,
  type Phase,
  PLAIN_TO_TLS,
  passcodeFailure,
  protocolFailure,
  rejectionFailure,
  timeoutFailure,
  UNANNOUNCED_CLOSE,
  USER_NOT_CONFIRMED,
} from './association-failure.js';
import { judgeResponses } from './judge-responses.js';
import { type PeerUser, userIdentityOf } from './peer-user.js';
import {
  type RoleSelection,
  roleItem,
  type UserIdentity,
  userIdentityItem,
  withUserItems,
} from './user-items.js';

dimse.Implementation.setImplementationClassUid(IMPLEMENTATION_CLASS_UID);
dimse.Implementation.setImplementationVersion(IMPLEMENTATION_VERSION_NAME);

/** Another application entity, and how long to wait for it. */
export interface Peer {
  readonly aeTitle: string;
  /** Host name or address. */
  readonly host: string;
  readonly port: number;
  /** The AE title that we call ourselves there. */
  readonly callingAeTitle: string;
  readonly timeouts?: Timeouts | undefined;
  /** Speaks TLS; plain DICOM where absent. */
  readonly tls?: PeerTls | undefined;
  /** That it is told of; none where absent. */
  readonly user?: PeerUser | undefined;
}

export interface PeerTls {
  /** What to connect with, now. @throws where there is nothing that can be used */
  readonly credentials: () => Credentials;
  /** That the peer's certificate must have. */
  readonly serverName: string;
}

export interface Timeouts {
  /** For the TCP connection, in ms. */
  readonly connectMs: number;
  /** For the answer to A-ASSOCIATE-RQ, in ms. */
  readonly associateMs: number;
  /** For a response, in ms since the last one, or since the request last moved on by 1 KiB for each second. */
  readonly responseMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 10_000,
  associateMs: 20_000,
  responseMs: 60_000,
};

type Association = association.Association;
type Request = requests.Request;

/** What an association is opened for. */
export interface Exchange {
  readonly requests: readonly Request[];
  /** Offered beside the one context for each SOP class that dcmjs-dimse offers by itself. */
  readonly contexts?: readonly association.PresentationContext[];
  /** Roles other than SCU that we take. */
  readonly roles?: readonly RoleSelection[];
  /** Which of the requests can be sent under the contexts that the peer accepted. */
  readonly sendable: (association: Association) => readonly Request[];
  /** Called when every request is answered: the association stays open until it resolves, or the peer ends it. */
  readonly hold?: (() => Promise<void>) | undefined;
  /** Answers an N-EVENT-REPORT that the peer sends on the association with a status. */
  readonly eventReport?: ((report: requests.NEventReportRequest) => number) | undefined;
  /** Called as the association comes further. */
  readonly onPhase?: ((phase: Phase) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens an association, sends the requests one after the other and releases it. Resolves when the connection is gone:
 * to undefined after a release, else to what broke it. Responses reach the requests' own 'response' listeners.
 */
export async function associate(
  peer: Peer,
  exchange: Exchange,
): Promise<AssociationFailure | undefined> {
  const {
    requests,
    contexts = [],
    roles = [],
    sendable,
    hold,
    eventReport,
    onPhase,
    signal,
  } = exchange;
  let user: UserIdentity | undefined;
  try {
    user = peer.user && (await userIdentityOf(peer.user));
  } catch (error) {
    return passcodeFailure(error as Error);
  }
  if (signal?.aborted) return CANCELLED;
  const client = new dimse.Client();
  for (const request of requests) client.addRequest(request);
  for (const context of contexts) client.addAdditionalPresentationContext(context, true);
  let security: ReturnType<typeof securityOptions> | undefined;
  try {
    security = peer.tls && securityOptions(peer.tls);
  } catch (error) {
    return credentialsFailure(error as Error);
  }

  return new Promise((resolve) => {
    const { connectMs, associateMs, responseMs } = peer.timeouts ?? DEFAULT_TIMEOUTS;
    const limits = {
      connect: connectMs,
      handshake: connectMs,
      associate: associateMs,
      response: responseMs,
      release: 5000,
    };
    let phase: Phase = 'connect';
    let heard = false;
    let released = false;
    let failure: AssociationFailure | undefined;
    let timer: NodeJS.Timeout | undefined;
    let bytesUnanswered = 0;
    let held = false;

    client.send(peer.host, peer.port, peer.callingAeTitle, peer.aeTitle, {
      ...NO_LIBRARY_TIMEOUTS,
      ...(security && { securityOptions: security }),
    });
    const network = networkOf(client);
    const { socket } = network;
    socket.setNoDelay(true);
    const items = [...roles.map(roleItem), ...(user ? [userIdentityItem(user)] : [])];
    if (items.length > 0) addUserItems(socket, items);
    if (socket instanceof TLSSocket && peer.tls) nameServer(socket, peer.tls.serverName);
    let unsent = unsentBy(socket);

    const fail = (cause: AssociationFailure): void => {
      failure ??= cause;
      if (phase === 'response') network.sendAbort();
      socket.destroy();
    };
    const cancel = (): void => fail(CANCELLED);
    const arm = (): void => {
      clearTimeout(timer);
      if (!held) timer = setTimeout(expire, limits[phase]);
    };
    const expire = (): void => {
      const now = unsentBy(socket);
      const moved = unsent.buffered - now.buffered || unsent.queued - now.queued;
      unsent = now;
      if (phase === 'response' && moved >= (LEAST_BYTES_PER_SECOND * responseMs) / 1000) arm();
      else fail(timeoutFailure(phase));
    };
    const enter = (next: Phase): void => {
      if (socket.destroyed) return;
      phase = next;
      bytesUnanswered = 0;
      // The library writes the next request whole before anything else happens.
      queueMicrotask(() => {
        unsent = unsentBy(socket);
      });
      onPhase?.(next);
      arm();
    };

    signal?.addEventListener('abort', cancel);
    // Before the library's own listener, which turns the error into a text.
    socket.prependListener('error', (error) => {
      failure ??= connectionFailure(error, phase);
    });
    socket.on('connect', () => enter(peer.tls === undefined ? 'associate' : 'handshake'));
    socket.on('secureConnect', () => {
      const problem = peer.tls && certificateProblem(socket, peer.tls.serverName);
      if (problem === undefined) enter('associate');
      else fail(handshakeFailure(problem));
    });
    // Before the library's own listener, which keeps whatever comes until it is a whole PDU and a whole message.
    socket.prependListener('data', (chunk: Buffer) => {
      if (!heard && chunk[0] === TLS_ALERT && peer.tls === undefined) fail(PLAIN_TO_TLS);
      heard = true;
      bytesUnanswered += chunk.length;
      if (bytesUnanswered > LONGEST_ANSWER) fail(protocolFailure('answer of excessive length'));
    });
    socket.on('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      resolve(released ? undefined : (failure ?? (heard ? UNANNOUNCED_CLOSE : CLOSED_UNHEARD)));
    });

    client.on('associationAccepted', (accepted: Association) => {
      client.clearRequests();
      if (phase !== 'associate') return fail(protocolFailure('second A-ASSOCIATE-AC'));
      const maximum = accepted.getMaxPduLength();
      // The library would cut a dataset into fragments of (maximum - 6) bytes, for ever where that is not positive.
      if (maximum !== 0 && maximum < SMALLEST_PDU) return fail(protocolFailure('Maximum Length'));
      const isConfirmed = accepted.getNegotiateUserIdentityServerResponse();
      if (user?.positiveResponseRequested && !isConfirmed) return fail(USER_NOT_CONFIRMED);
      enter('response');
      for (const request of sendable(accepted)) client.addRequest(request);
    });
    client.on('associationRejected', (rejection: Rejection) =>
      fail(rejectionFailure(rejection, { statedUser: user !== undefined })),
    );
    client.on('associationReleased', () => {
      if (phase !== 'release') return fail(protocolFailure('A-RELEASE-RP to no request'));
      released = true;
      socket.destroy();
    });
    client.on('networkError', () => fail(protocolFailure('PDU')));
    network.on('abort', (abort) => fail(abortFailure(abort)));
    if (hold === undefined) {
      network.on('done', () => enter('release'));
    } else {
      // In place of the library's own listener, which releases at once.
      network.removeAllListeners('done');
      network.once('done', async () => {
        held = true;
        arm();
        await hold();
        held = false;
        if (socket.destroyed) return;
        enter('release');
        network.sendAssociationReleaseRequest();
      });
    }
    network.on('nEventReportRequest', (report, respond) => {
      network.dimseStream = undefined;
      bytesUnanswered = 0;
      const response = dimse.responses.NEventReportResponse.fromRequest(report);
      response.setStatus(eventReport?.(report) ?? Status.UnrecognizedOperation);
      respond(response);
    });
    network.on('associationReleaseRequested', () => {
      network.sendAssociationReleaseResponse();
      fail(PEER_RELEASED);
    });
    for (const request of requests) {
      judgeResponses(request, {
        isOver: () => failure !== undefined,
        // The library appends each response to the one before: their elements leak into it, and time grows quadratic.
        onResponse: () => {
          network.dimseStream = undefined;
          if (phase === 'response') enter('response');
        },
        onWrong: () => fail(protocolFailure('response')),
      });
    }
    arm();
  });
}

/** Bytes that a peer may send before it has answered: many times what an A-ASSOCIATE-AC or a response has. */
const LONGEST_ANSWER = 2 ** 17;

/** A request that is taken more slowly counts as not taken. */
const LEAST_BYTES_PER_SECOND = 1024;

/**
 * Bytes that Node keeps, and of those the ones that the system has yet to take. Node hands over all that it keeps in one
 * write, of which only the handle tells how far it is: Node's own timeouts look there too.
 */
function unsentBy(socket: Socket): { readonly buffered: number; readonly queued: number } {
  const { _handle: handle } = socket as Socket & { _handle?: { writeQueueSize: number } | null };
  return { buffered: socket.writableLength, queued: handle?.writeQueueSize ?? 0 };
}

/** First byte of a TLS record with an alert (RFC 8446 5.1), by which a TLS server answers what is no TLS. */
const TLS_ALERT = 0x15;

function securityOptions({ credentials }: PeerTls) {
  const { ca, cert, key } = credentials();
  return {
    ...BCP_195,
    ca,
    ...(cert && key && { cert, key }),
    // The library knows no name but the host's: certificateProblem() judges before the first byte is sent.
    rejectUnauthorized: false,
  };
}

/** Server Name Indication, which the library does not pass on; RFC 6066 3 has no room for an address in it. */
function nameServer(
  socket: TLSSocket & { setServername?: (name: string) => void },
  serverName: string,
): void {
  if (isIP(serverName) === 0) socket.setServername?.(serverName);
}

/** The code of what is wrong with the peer's certificate, or undefined. */
function certificateProblem(socket: Socket, serverName: string): Error | string | undefined {
  if (!(socket instanceof TLSSocket)) return 'unknown';
  // The typings say Error; at run time it is the code of OpenSSL's check, or of Node's comparison with the host.
  const code = String(socket.authorizationError ?? '');
  if (!socket.authorized && code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return code;
  return checkServerIdentity(serverName, socket.getPeerCertificate());
}

/** The library's first write is its A-ASSOCIATE-RQ. */
function addUserItems(socket: Socket, items: readonly Buffer[]): void {
  const write = socket.write;
  socket.write = (pdu: Buffer) => {
    socket.write = write;
    return socket.write(withUserItems(pdu, items));
  };
}

interface Rejection {
  readonly result: number;
  readonly source: number;
  readonly reason: number;
}

/** The parts of the library's connection that its typings leave out. */
interface ClientNetwork {
  readonly socket: Socket;
  dimseStream: unknown;
  sendAbort(): void;
  sendAssociationReleaseResponse(): void;
  on(event: 'associationReleaseRequested', listener: () => void): void;
  on(event: 'abort', listener: (abort: { source: number; reason: number }) => void): void;
  on(event: 'done', listener: () => void): void;
  on(
    event: 'nEventReportRequest',
    listener: (
      report: requests.NEventReportRequest,
      respond: (response: responses.NEventReportResponse) => void,
    ) => void,
  ): void;
  once(event: 'done', listener: () => void): void;
  removeAllListeners(event: 'done'): void;
  sendAssociationReleaseRequest(): void;
}

function networkOf(client: Client): ClientNetwork {
  return (client as unknown as { network: ClientNetwork }).network;
}

/** The library's own timeouts mix idle sockets with slow peers; these never fire. */
const NO_LIBRARY_TIMEOUTS = {
  connectTimeout: 2 ** 31 - 1,
  associationTimeout: 2 ** 31 - 1,
  pduTimeout: 2 ** 31 - 1,
};

/** Room for a C-STORE-RQ, which the library never fragments; real peers offer 4 KiB and more. */
const SMALLEST_PDU = 1024;
