import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { ModelIdentity } from '../domain/finding.js';
import { type ModelManifest, manifestSchema } from './model-manifest.js';
import { ModelPackageError } from './model-package-error.js';
import { checkSignature } from './package-signature.js';

/** A package whose files are what its manifest lists. */
export interface ModelPackage {
  readonly folder: string;
  readonly manifest: ModelManifest;
  readonly identity: ModelIdentity;
}

/**
 * Reads the manifest and checks the hash of every file that it lists. The graphs' inputs and outputs are checked where
 * they are opened.
 * @param signedBy files of public keys, one of which must have signed the manifest; `any` asks for no signature
 * @throws ModelPackageError
 */
export async function openModelPackage(
  folder: string,
  signedBy: 'any' | readonly string[],
): Promise<ModelPackage> {
  const model = await readModelPackage(folder, signedBy);
  await checkFiles(folder, model.manifest);
  return model;
}

/** As `openModelPackage`, but of the files only that they are there: graphs may have hundreds of megabytes. */
export async function readModelPackage(
  folder: string,
  signedBy: 'any' | readonly string[],
): Promise<ModelPackage> {
  const bytes = await readManifest(folder);
  if (signedBy !== 'any') await checkSignature(folder, bytes, signedBy);
  const manifest = parseManifest(bytes, folder);
  for (const file of Object.keys(manifest.files)) {
    await access(join(folder, file), constants.R_OK).catch((cause) => {
      throw unreadable(join(folder, file), cause);
    });
  }
  const { name, version, maker, family } = manifest;
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { folder, manifest, identity: { name, version, maker, family, hash } };
}

/**
 * Compares every file of a package with its manifest. Also done at each start of the inference process: the folder may
 * have changed since the node read the manifest, whose hash stands in the reports.
 * @throws ModelPackageError
 */
export async function checkFiles(folder: string, manifest: ModelManifest): Promise<void> {
  for (const [file, expected] of Object.entries(manifest.files)) {
    const actual = await sha256OfFile(join(folder, file));
    if (actual !== expected) {
      throw new ModelPackageError(
        'hash-mismatch',
        `${file} in ${folder} has SHA-256 ${actual}, the manifest says ${expected}`,
      );
    }
  }
}

async function readManifest(folder: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, 'manifest.json'));
  } catch (cause) {
    throw new ModelPackageError('manifest-unreadable', `${folder} has no readable manifest.json`, {
      cause,
    });
  }
}

function parseManifest(bytes: Buffer, folder: string): ModelManifest {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new ModelPackageError('manifest-invalid', `manifest.json in ${folder} is not JSON`, {
      cause,
    });
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ModelPackageError(
    'manifest-invalid',
    `manifest.json in ${folder} breaks the contract:\n${z.prettifyError(parsed.error)}`,
  );
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (cause) {
    throw unreadable(file, cause);
  }
  return hash.digest('hex');
}

function unreadable(file: string, cause: unknown): ModelPackageError {
  return new ModelPackageError('file-unreadable', `${file} cannot be read`, { cause });
}
