import { createHash } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { encodeFileMeta, readFileMeta } from '../dicom/file-meta.js';
import { readHeader } from '../dicom/header.js';
import type { InstanceHeader } from '../domain/instance.js';
import type { IncomingInstance } from '../domain/received-instance.js';
import type { Log } from '../log.js';
import { makeDurableFolder } from './durable-folder.js';
import { IncomingFile } from './incoming-file.js';
import { type IncomingMark, readMark } from './incoming-mark.js';
import { isSameImage } from './same-image.js';
import { SpareFiles } from './spare-files.js';
import { StorageFullError } from './storage-errors.js';

export interface InstanceFilesOptions {
  /** New instances are refused while the disk has less free space. */
  readonly minimumFreeBytes: number;
  readonly log: Log;
}

/** A whole file found in the incoming folder. */
export interface RecoveredInstance extends IncomingMark {
  readonly header: InstanceHeader;
  /** Absolute path. */
  readonly file: string;
}

/** Files that stood where an image went and that no row named; relative to the storage folder. */
export const SET_ASIDE_FOLDER = 'conflicts/set-aside';

/** Free space is asked for this often; in between, what arrives is small against any sensible minimum. */
const FREE_SPACE_MS = 1000;
const MAX_HEADER_BYTES = 4 * 1024 * 1024;

/**
 * The archive's files. An instance is written to `incoming/` and is durable there by itself, with a mark in its preamble
 * that says what is in it; once it is in the catalog it is renamed to its place by study and series.
 */
export class InstanceFiles implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: InstanceFilesOptions;
  readonly #spares: SpareFiles;
  #freeBytes: number;
  #freeBytesAt = Date.now();

  private constructor(folder: string, options: InstanceFilesOptions, freeBytes: number) {
    this.#folder = folder;
    this.#options = options;
    this.#spares = new SpareFiles(join(folder, 'incoming'));
    this.#freeBytes = freeBytes;
  }

  /** Makes the folders where they are missing. */
  static async open(folder: string, options: InstanceFilesOptions): Promise<InstanceFiles> {
    for (const name of ['incoming', 'instances', 'conflicts', SET_ASIDE_FOLDER]) {
      await mkdir(join(folder, name), { recursive: true, mode: 0o750 });
    }
    await using parent = await open(folder, 'r');
    await parent.sync();
    return new InstanceFiles(folder, options, await freeBytesOf(folder));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spares[Symbol.asyncDispose]();
  }

  /** Begins a file for an instance. @throws StorageFullError while free space is under its minimum */
  create(instance: IncomingInstance): IncomingFile {
    if (!this.#hasRoom()) throw new StorageFullError();
    return new IncomingFile({
      spare: this.#spares.take(),
      head: encodeFileMeta(instance),
      sender: instance,
      hasRoom: () => this.#hasRoom(),
    });
  }

  /**
   * The whole files that a crash left in the incoming folder, oldest first. Files that are not whole were never
   * acknowledged and are removed, the spare ones too: to be called before any file is created.
   */
  async *recover(): AsyncGenerator<RecoveredInstance> {
    const names = await readdir(this.#incoming);
    const byAge = names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    for (const name of byAge) {
      const file = join(this.#incoming, name);
      try {
        const found = await readWhole(file);
        if (found) {
          yield { ...found, file };
        } else {
          this.#options.log.info({ name }, 'removing a file that was not received whole');
          await rm(file);
        }
      } catch (error) {
        this.#options.log.error({ err: error, name }, 'an incoming file cannot be read; it stays');
      }
    }
  }

  /** Path of an instance, relative to the archive's folder. */
  instancePath({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }: InstanceHeader): string {
    return join('instances', studyInstanceUid, seriesInstanceUid, `${sopInstanceUid}.dcm`);
  }

  /** Path of an instance whose UID another one has already, relative to the archive's folder. */
  conflictPath({ sopInstanceUid }: InstanceHeader, sha256: string): string {
    return join('conflicts', `${sopInstanceUid}.${sha256.slice(0, 16)}.dcm`);
  }

  isSameImage(one: string, other: string): boolean {
    return isSameImage(resolve(this.#folder, one), resolve(this.#folder, other));
  }

  makeRoom(path: string): void {
    makeDurableFolder(dirname(join(this.#folder, path)));
  }

  /**
   * Renames a file of the incoming folder to a path relative to the archive's folder; does nothing where that has
   * happened already. A power cut may undo the rename, but it leaves the file under one of its two names.
   */
  place(incomingFile: string, path: string): void {
    const target = join(this.#folder, path);
    if (existsSync(target)) {
      if (!existsSync(incomingFile)) return;
      this.#setAside(target);
    }
    this.replace(incomingFile, path);
  }

  replace(incomingFile: string, path: string): void {
    this.makeRoom(path);
    renameSync(incomingFile, join(this.#folder, path));
  }

  /** Whether a path relative to the archive's folder holds a file. */
  isPlaced(path: string): boolean {
    return existsSync(join(this.#folder, path));
  }

  /** Removes a file of the incoming folder. */
  discard(incomingFile: string): void {
    rmSync(incomingFile, { force: true });
  }

  /** Writes a small file through to the disk and removes it. @throws Error of the disk */
  async tryWriting(): Promise<void> {
    const path = join(this.#folder, 'write-test');
    try {
      await writeFile(path, Buffer.alloc(512), { flush: true, mode: 0o640 });
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Free space of the disk, in bytes. */
  async freeBytes(): Promise<number> {
    this.#freeBytes = await freeBytesOf(this.#folder);
    this.#freeBytesAt = Date.now();
    return this.#freeBytes;
  }

  get #incoming(): string {
    return join(this.#folder, 'incoming');
  }

  /** A file that no row of the catalog names, as after the loss of a catalog, is not overwritten: a rebuild takes it up. */
  #setAside(target: string): void {
    const name = target.slice(target.lastIndexOf('/') + 1).replace(/\.dcm$/, '');
    renameSync(target, join(this.#folder, SET_ASIDE_FOLDER, `${name}.${Date.now()}.dcm`));
    this.#options.log.warn({ sopInstanceUid: name }, 'a file that no row names was set aside');
  }

  #hasRoom(): boolean {
    this.#refreshFreeBytes();
    return this.#freeBytes >= this.#options.minimumFreeBytes;
  }

  #refreshFreeBytes(): void {
    if (Date.now() - this.#freeBytesAt < FREE_SPACE_MS) return;
    this.#freeBytesAt = Date.now();
    this.freeBytes().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'free space cannot be determined');
    });
  }
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * The mark and header of a file, or undefined where mark, length and checksum do not agree. An error of the disk is
 * thrown: a file that cannot be read now is not a file to remove.
 */
export async function readWhole(
  file: string,
): Promise<(IncomingMark & { readonly header: InstanceHeader }) | undefined> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  const head = Buffer.alloc(Math.min(size, MAX_HEADER_BYTES));
  await handle.read(head, 0, head.length, 0);
  const mark = readMark(head);
  const meta = readFileMeta(head);
  if (!mark || !meta || size !== meta.datasetOffset + mark.bytes) return undefined;
  const hash = createHash('sha256');
  for await (const chunk of handle.createReadStream({ start: meta.datasetOffset })) {
    hash.update(chunk as Buffer);
  }
  if (hash.digest('hex') !== mark.sha256) return undefined;
  const header = readHeader(head.subarray(meta.datasetOffset), meta.transferSyntaxUid);
  return { ...mark, header };
}
