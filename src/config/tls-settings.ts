import { resolve } from 'node:path';
import type { PeerTlsText } from './tls-schema.js';

/** Absolute paths of PEM files. */
export interface TlsFileSettings {
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly authorities: string;
}

/** How to speak TLS with a peer that Vigil calls. */
export interface PeerTlsSettings {
  readonly files: TlsFileSettings;
  /** That the peer's certificate must have. */
  readonly serverName: string;
}

export function tlsFiles(tls: Partial<TlsFileSettings> & { authorities: string }, folder: string) {
  const { certificate, key, authorities } = tls;
  return {
    certificate: certificate && resolve(folder, certificate),
    key: key && resolve(folder, key),
    authorities: resolve(folder, authorities),
  };
}

export function peerTlsSettings(tls: PeerTlsText, host: string, folder: string): PeerTlsSettings {
  return { files: tlsFiles(tls, folder), serverName: tls.serverName ?? host };
}
