import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Credentials } from '../tls/credentials.js';
import { type PeerCertificate, peerCertificate } from '../tls/peer-certificate.js';
import { handshakeProblem, NO_CERTIFICATE, type TlsProblem } from '../tls/problem.js';
import { BCP_195 } from '../tls/profile.js';
import { ConnectionDroppedError } from './connections.js';

export interface TlsServerOptions {
  readonly clientCertificate: 'required' | 'optional';
  readonly credentials: Credentials;
  readonly handshakeMs: number;
  /** Before the handshake. */
  readonly onConnection: (socket: Socket) => void;
  readonly onSecure: (socket: TLSSocket, certificate: PeerCertificate | undefined) => void;
  readonly onRefused: (problem: TlsProblem, remoteAddress: string) => void;
}

/** A server for DICOM over TLS (PS3.15 B.9) whose peers' certificates are judged here, so that a refusal has its reason. */
export class TlsServer {
  readonly server: Server;
  readonly #options: TlsServerOptions;

  constructor(options: TlsServerOptions) {
    this.#options = options;
    this.server = createServer({
      ...contextOf(options.credentials),
      requestCert: true,
      // Node would close the connection of an unknown peer without a word about who and why: #secured does it instead.
      rejectUnauthorized: false,
      handshakeTimeout: options.handshakeMs,
    });
    this.server.on('connection', (socket) => options.onConnection(socket));
    this.server.on('secureConnection', (socket) => this.#secured(socket));
    this.server.on('tlsClientError', (error, socket) => {
      if (!(error instanceof ConnectionDroppedError)) {
        options.onRefused(handshakeProblem(error), socket.remoteAddress ?? '');
      }
      socket.destroy();
    });
  }

  /** Takes the credentials for the connections that come from now on. */
  use(credentials: Credentials): void {
    this.server.setSecureContext(contextOf(credentials));
  }

  #secured(socket: TLSSocket): void {
    const certificate = peerCertificate(socket);
    const problem = this.#problemWith(socket, certificate);
    if (problem === undefined) {
      this.#options.onSecure(socket, certificate);
      return;
    }
    this.#options.onRefused(problem, socket.remoteAddress ?? '');
    socket.on('error', () => {});
    socket.destroy();
  }

  #problemWith(
    socket: TLSSocket,
    certificate: PeerCertificate | undefined,
  ): TlsProblem | undefined {
    if (certificate === undefined) {
      return this.#options.clientCertificate === 'required' ? NO_CERTIFICATE : undefined;
    }
    // The typings say Error; at run time it is the code of OpenSSL's check.
    return socket.authorized ? undefined : handshakeProblem(String(socket.authorizationError));
  }
}

function contextOf({ ca, cert, key }: Credentials) {
  return { ...BCP_195, ca, cert, key, honorCipherOrder: true };
}
