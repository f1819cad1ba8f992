import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian puts daemons where a user's PATH does not look. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/** The Debian package of each program that the tests start. */
const PACKAGES: Readonly<Record<string, string>> = {
  chromium: 'chromium',
  dciodvfy: 'dicom3tools',
  gdcmconv: 'libgdcm-tools',
  Orthanc: 'orthanc',
  openssl: 'openssl',
  strace: 'strace',
};

/** Absolute path of a program, or undefined where it is not installed. */
export function findTool(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * Whether all of these programs are installed; says in one line which are not. For `describe.runIf(...)`.
 * @throws Error where one is missing in continuous integration: a test that is skipped there proves nothing
 */
export function requireTools(...names: readonly string[]): boolean {
  const missing = names.filter((name) => findTool(name) === undefined);
  if (missing.length === 0) return true;
  const packages = [...new Set(missing.map((name) => PACKAGES[name] ?? 'dcmtk'))];
  const message = `${missing.join(', ')} not installed (apt-get install ${packages.join(' ')})`;
  if (process.env['CI']) throw new Error(message);
  console.warn(`Skipped: ${message}`);
  return false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
