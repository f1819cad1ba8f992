import type { TLSSocket } from 'node:tls';

/** A peer's certificate that led to a trusted authority, by what rules can name it by. */
export interface PeerCertificate {
  /** Common Name of the subject and the DNS names, addresses and URIs of the subject's alternative name. */
  readonly names: readonly string[];
  /** Lower-case hex SHA-256 of the certificate. */
  readonly sha256: string;
}

/** Undefined where the peer showed none. */
export function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const { subject, subjectAltName, fingerprint256 } = certificate;
  const commonNames = subject.split('\n').flatMap((part) => /^CN=(.+)$/.exec(part)?.[1] ?? []);
  const others = alternativeNames(subjectAltName ?? '');
  return {
    names: [...new Set([...commonNames, ...others])],
    sha256: fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** `DNS:a, IP Address:127.0.0.1`; a value with commas is quoted as JSON (Node >= 17.3.1), so that it cannot pose as two. */
function alternativeNames(text: string): string[] {
  const parts = text.matchAll(/(?:^|, )(?:DNS|IP Address|URI):("(?:[^"\\]|\\.)*"|[^,"]*)/g);
  return [...parts].flatMap(([, value = '']) => {
    if (!value.startsWith('"')) return value === '' ? [] : [value];
    return [JSON.parse(value) as string];
  });
}
