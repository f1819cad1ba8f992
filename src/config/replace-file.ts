import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';

/** The configuration file cannot be written where it lies; the message says what to do. */
export class ConfigNotWritableError extends Error {
  readonly code = 'config-not-writable';

  constructor(file: string, why: string, options?: ErrorOptions) {
    super(`${file} cannot be changed from here: ${why}`, options);
    this.name = 'ConfigNotWritableError';
  }
}

/**
 * Puts a new text into the place of a file: whoever reads it sees the old one or the new one, whole, also after a power
 * cut. Owner and mode stay; a link stays, and what it leads to is replaced. Returns when the change is durable.
 *
 * @throws ConfigNotWritableError; the file is what it was then
 */
export function replaceFile(file: string, text: string): void {
  const target = realpathSync(file);
  const before = statSync(target);
  const refusal = whyNot(target, before);
  if (refusal !== undefined) throw new ConfigNotWritableError(file, refusal);
  const folder = dirname(target);
  const temporary = join(folder, `.${basename(target)}.${process.pid}.new`);
  try {
    writeDurably(temporary, text, before);
    renameSync(temporary, target);
    syncFolder(folder);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new ConfigNotWritableError(file, explain(cause as NodeJS.ErrnoException, target), {
      cause,
    });
  }
}

/** A hidden name such as ..2026_11_25: the kubelet's, which turns a link to change all files at once. */
const CONFIG_MAP = new RegExp(`\\${sep}\\.\\.[^${sep}.]`);

function whyNot(target: string, { dev, nlink }: Stats): string | undefined {
  if (CONFIG_MAP.test(target)) {
    return 'it is mounted from a ConfigMap. Change the ConfigMap; the node follows it';
  }
  if (statSync(dirname(target)).dev !== dev) {
    return 'it is a mount of its own. Change it where it is mounted from, or mount its folder';
  }
  if (nlink > 1) {
    return `it has ${nlink} names (hard links), of which one would stay as it is. Leave it one`;
  }
  return undefined;
}

function writeDurably(path: string, text: string, { uid, gid, mode }: Stats): void {
  // Left by a process that died here; 'wx' follows no link that somebody else may have put there.
  rmSync(path, { force: true });
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(descriptor, text);
    const own = lstatSync(path);
    if (own.uid !== uid || own.gid !== gid) fchownSync(descriptor, uid, gid);
    fchmodSync(descriptor, mode & 0o7777);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const entries = openSync(folder, 'r');
  try {
    fsyncSync(entries);
  } finally {
    closeSync(entries);
  }
}

function explain({ code, syscall, message }: NodeJS.ErrnoException, target: string): string {
  const folder = dirname(target);
  if (syscall === 'fchown') {
    return "it belongs to another user, and only root can keep it so. Run the command as the file's owner or as root";
  }
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `the folder ${folder} is not writable for this user. Run the command as its owner, or give the user the folder`;
    case 'EROFS':
      return `${folder} is read-only. Change the file where it comes from`;
    case 'EBUSY':
      return 'it is a mount of its own. Change it where it is mounted from, or mount its folder';
    case 'ENOSPC':
      return `${folder} is full`;
    default:
      return message;
  }
}
