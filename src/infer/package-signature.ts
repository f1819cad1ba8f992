import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelPackageError } from './model-package-error.js';

/** Beside the manifest: 64 raw bytes, Ed25519 (RFC 8032) over the manifest's bytes. */
export const SIGNATURE_FILE = 'manifest.sig';

/**
 * Checks that one of the keys signed a manifest, and through the hashes in it every file of the package.
 * @param keyFiles public Ed25519 keys as PEM (SubjectPublicKeyInfo)
 * @throws ModelPackageError
 */
export async function checkSignature(
  folder: string,
  manifest: Uint8Array,
  keyFiles: readonly string[],
): Promise<void> {
  const keys = await Promise.all(keyFiles.map(readPublicKey));
  const signature = await readSignature(folder);
  if (keys.some((key) => verify(null, manifest, key, signature))) return;
  throw new ModelPackageError(
    'signature-wrong',
    `${SIGNATURE_FILE} in ${folder} is by none of the keys of inference.signedBy, or manifest.json was changed after it was signed`,
  );
}

async function readPublicKey(file: string): Promise<KeyObject> {
  let key: KeyObject;
  try {
    key = createPublicKey(await readFile(file));
  } catch (cause) {
    const message = `${file}, a key of inference.signedBy, cannot be read as a public key in PEM`;
    throw new ModelPackageError('key-unreadable', message, { cause });
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  const message = `${file}, a key of inference.signedBy, is ${key.asymmetricKeyType}, not Ed25519`;
  throw new ModelPackageError('key-unreadable', message);
}

async function readSignature(folder: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, SIGNATURE_FILE));
  } catch (cause) {
    const message = `${folder} has no readable ${SIGNATURE_FILE}, which inference.signedBy asks for`;
    throw new ModelPackageError('signature-missing', message, { cause });
  }
}
