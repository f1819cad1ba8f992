/** Why a TLS connection did not come about; the text is for people and says what to do. */
export interface TlsProblem {
  readonly code: string;
  readonly text: string;
}

const problem = (code: string, text: string): TlsProblem => ({ code, text });

export const TLS_ON_PLAIN_PORT = problem(
  'tls-on-plain-port',
  'The peer speaks TLS on a port for plain DICOM: give it the port of receive.tls, or switch TLS off there',
);

export const NO_CERTIFICATE = problem(
  'no-certificate',
  'The peer shows no certificate: give it one, or set clientCertificate to "optional"',
);

const UNKNOWN_AUTHORITY = problem(
  'certificate-authority-unknown',
  "The peer's certificate is from no authority that is trusted here: add the authority that signed it, or a self-signed certificate itself, to the authorities file",
);

const EXPIRED = problem(
  'certificate-expired',
  "The peer's certificate has expired: it needs a new one",
);

const WRONG_PURPOSE = problem(
  'certificate-wrong-purpose',
  "The peer's certificate is not made for this side of a TLS connection: its extended key usage needs serverAuth to be called, clientAuth to call",
);

const NO_COMMON_VERSION = problem(
  'tls-version',
  'The peer speaks no version of TLS from 1.2 on, which BCP 195 asks for: update it',
);

const NO_COMMON_CIPHER = problem(
  'tls-no-agreement',
  'No cipher suite, signature or key is common to both sides, or the peer asks for a certificate that Vigil has not: see "TLS" in docs/conformance.md',
);

const NOT_TLS = problem(
  'peer-without-tls',
  'The peer does not speak TLS on this port: switch TLS on there, or use the ports for plain DICOM',
);

const REFUSED = problem(
  'own-certificate-refused',
  "The peer refuses Vigil's certificate: it may not trust its authority, or know it by another name",
);

/** Codes of OpenSSL's certificate checks, of its errors and of alerts that the peer sent (RFC 8446 6.2). */
const PROBLEMS: Readonly<Record<string, TlsProblem>> = {
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: problem(
    'certificate-not-yet-valid',
    "The peer's certificate is not valid yet: compare the clocks",
  ),
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  INVALID_CA: UNKNOWN_AUTHORITY,
  CERT_UNTRUSTED: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  CERT_REVOKED: problem('certificate-revoked', "The peer's certificate is revoked"),
  INVALID_PURPOSE: WRONG_PURPOSE,
  CERT_REJECTED: WRONG_PURPOSE,
  ERR_TLS_CERT_ALTNAME_INVALID: problem(
    'certificate-wrong-name',
    "The peer's certificate is for another name than the one that is called: set tls.serverName to a name that it has, or have it made for this host",
  ),
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: NO_CERTIFICATE,
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  ERR_SSL_HTTP_REQUEST: problem(
    'peer-http',
    'The peer speaks HTTP on a port for DICOM: it may have the wrong port',
  ),
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON_VERSION,
  ERR_SSL_VERSION_TOO_LOW: NO_COMMON_VERSION,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_VERSION,
  ERR_SSL_NO_SHARED_CIPHER: NO_COMMON_CIPHER,
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: NO_COMMON_CIPHER,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: NO_COMMON_CIPHER,
  ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY: NO_COMMON_CIPHER,
  ERR_SSL_EE_KEY_TOO_SMALL: problem(
    'certificate-too-weak',
    "The key of the peer's certificate is too short: RSA needs 2048 bits",
  ),
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: problem(
    'own-certificate-required',
    'The peer asks for a certificate and Vigil has none for it: set certificate and key',
  ),
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: problem(
    'own-certificate-authority-unknown',
    "The peer does not trust the authority of Vigil's certificate: add that authority there",
  ),
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: problem(
    'own-certificate-expired',
    "The peer says that Vigil's certificate has expired: have a new one made, or compare the clocks",
  ),
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: REFUSED,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: REFUSED,
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: REFUSED,
  ERR_TLS_HANDSHAKE_TIMEOUT: problem(
    'tls-handshake-timeout',
    'The peer did not finish the TLS handshake: it may speak plain DICOM, or nothing',
  ),
};

const HANDSHAKE_ENDED = problem(
  'tls-handshake-ended',
  "The peer ended the connection within the TLS handshake: it may not trust Vigil's certificate, or not speak TLS on this port",
);

/** Names what broke a TLS connection, from an error of the socket or the code of a certificate check. */
export function tlsProblem(error: Error | string): TlsProblem | undefined {
  return PROBLEMS[typeof error === 'string' ? error : codeOf(error)];
}

/** The same for an error before the handshake was done, where the peer's mere silence has a meaning too. */
export function handshakeProblem(error: Error | string): TlsProblem {
  const known = tlsProblem(error);
  if (known !== undefined) return known;
  const code = typeof error === 'string' ? error : codeOf(error);
  if (code === 'ECONNRESET' || code === 'EPIPE') return HANDSHAKE_ENDED;
  return problem('tls-failed', `The TLS connection did not come about (${code})`);
}

/** An error from writing has no code of its own but OpenSSL's line: "...:SSL routines:function:reason:...". */
const OPENSSL_LINE = /:SSL routines:[^:]*:([^:]+):/;

function codeOf(error: Error): string {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  const reason = code === 'EPROTO' ? OPENSSL_LINE.exec(error.message)?.[1] : undefined;
  return reason === undefined ? code : `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`;
}
