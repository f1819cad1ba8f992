import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { BCP_195 } from './profile.js';

/** Absolute paths of PEM files. */
export interface TlsFiles {
  /** Own certificate, with the certificates between it and its authority behind it. */
  readonly certificate?: string | undefined;
  /** Its private key, without a passphrase. */
  readonly key?: string | undefined;
  /** The certificates that peers' certificates must lead to. */
  readonly authorities: string;
}

/** What was read from the files, as node:tls takes it. */
export interface Credentials {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca: Buffer;
  /** When the first of the own certificate and the authorities expires, in ms since the epoch. */
  readonly expiresAt: number;
}

/** The role of a file, by its key in the configuration. */
export type TlsFileKey = keyof TlsFiles;

/** Files that cannot be used for TLS; the message says what is wrong with which one, and what to do. */
export class CredentialsError extends Error {
  readonly code:
    | 'unreadable'
    | 'no-pem'
    | 'key-mismatch'
    | 'too-weak'
    | 'not-yet-valid'
    | 'expired';
  readonly key: TlsFileKey;

  constructor(
    code: CredentialsError['code'],
    key: TlsFileKey,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'CredentialsError';
    this.code = code;
    this.key = key;
  }
}

/**
 * Reads the files and checks that they are PEM, that the key is the certificate's own and strong enough, and that the
 * certificates are valid at `now`.
 *
 * @param now ms since the epoch; `undefined` takes certificates whatever their dates
 * @throws CredentialsError
 */
export async function readCredentials(
  files: TlsFiles,
  now: number | undefined,
): Promise<Credentials> {
  const ca = await read('authorities', files.authorities);
  const authorities = certificatesIn('authorities', files.authorities, ca);
  const dated: [TlsFileKey, string, X509Certificate][] = authorities.map((authority) => [
    'authorities',
    files.authorities,
    authority,
  ]);
  let own: { cert: Buffer; key: Buffer } | undefined;
  if (files.certificate !== undefined && files.key !== undefined) {
    const [cert, key] = [
      await read('certificate', files.certificate),
      await read('key', files.key),
    ];
    const chain = certificatesIn('certificate', files.certificate, cert);
    checkPair(files.certificate, chain[0] as X509Certificate, files.key, key);
    for (const one of chain) dated.unshift(['certificate', files.certificate, one]);
    own = { cert, key };
  }
  try {
    createSecureContext({ ...BCP_195, ca, ...own });
  } catch (cause) {
    const { reason = (cause as Error).message } = cause as { reason?: string };
    const key = own === undefined || reason.startsWith('ca ') ? 'authorities' : 'certificate';
    const message = `${files[key]} cannot be used (${reason}): RSA keys need 2048 bits, signatures SHA-256`;
    throw new CredentialsError('too-weak', key, message, { cause });
  }
  if (now !== undefined) for (const one of dated) checkDates(...one, now);
  const expiresAt = Math.min(...dated.map(([, , { validTo }]) => Date.parse(validTo)));
  return { ca, ...own, expiresAt };
}

async function read(key: TlsFileKey, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const hint = code === 'EACCES' ? ': the user that runs Vigil must be able to read it' : '';
    throw new CredentialsError('unreadable', key, `${file} cannot be read (${code})${hint}`, {
      cause,
    });
  }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** At least one. */
function certificatesIn(key: TlsFileKey, file: string, pem: Buffer): X509Certificate[] {
  const texts = pem.toString('latin1').match(PEM_CERTIFICATE) ?? [];
  try {
    if (texts.length > 0) return texts.map((text) => new X509Certificate(text));
  } catch (cause) {
    throw new CredentialsError('no-pem', key, `${file} holds a damaged certificate`, { cause });
  }
  const message = `${file} holds no certificate: it must be PEM, with "BEGIN CERTIFICATE"`;
  throw new CredentialsError('no-pem', key, message);
}

function checkPair(
  certificateFile: string,
  certificate: X509Certificate,
  keyFile: string,
  pem: Buffer,
): void {
  const encrypted = pem.includes('ENCRYPTED');
  let fits: boolean;
  try {
    fits = certificate.checkPrivateKey(createPrivateKey(pem));
  } catch (cause) {
    const message = encrypted
      ? `${keyFile} is encrypted: Vigil needs it without a passphrase, readable by its own user alone`
      : `${keyFile} holds no private key: it must be PEM, with "BEGIN PRIVATE KEY"`;
    throw new CredentialsError('no-pem', 'key', message, { cause });
  }
  if (fits) return;
  const message = `${keyFile} is not the key of ${certificateFile}: they must be made together`;
  throw new CredentialsError('key-mismatch', 'key', message);
}

function checkDates(
  key: TlsFileKey,
  file: string,
  { validFrom, validTo, subject }: X509Certificate,
  now: number,
): void {
  const name = subject.replaceAll('\n', ', ');
  if (now > Date.parse(validTo)) {
    const message = `${file}: the certificate of ${name} expired on ${day(validTo)}: have a new one made`;
    throw new CredentialsError('expired', key, message);
  }
  if (now < Date.parse(validFrom)) {
    const message = `${file}: the certificate of ${name} is not valid before ${day(validFrom)}: compare the clocks`;
    throw new CredentialsError('not-yet-valid', key, message);
  }
}

function day(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}
