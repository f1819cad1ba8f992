import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceFile } from '../../../src/config/replace-file.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vigil-replace-'));
  file = join(folder, 'vigil.yaml');
  writeFileSync(file, 'old');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('replacing the configuration file', () => {
  it('keeps the mode, also one that this process would not give, and leaves nothing beside it', () => {
    chmodSync(file, 0o664);
    replaceFile(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file).mode & 0o7777).toBe(0o664);
    expect(readdirSync(folder)).toEqual(['vigil.yaml']);
  });

  it.runIf(process.getuid?.() === 0)('keeps an owner that is another user', async () => {
    const { chownSync } = await import('node:fs');
    chownSync(file, 1234, 1235);
    replaceFile(file, 'new');
    expect(statSync(file)).toMatchObject({ uid: 1234, gid: 1235 });
  });

  it('writes what a link leads to, and keeps the link', () => {
    const link = join(folder, 'link.yaml');
    symlinkSync('vigil.yaml', link);
    replaceFile(link, 'new');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  it('takes over from a process that died while it wrote', () => {
    writeFileSync(join(folder, `.vigil.yaml.${process.pid}.new`), 'half');
    replaceFile(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readdirSync(folder)).toEqual(['vigil.yaml']);
  });

  it('refuses a ConfigMap, which only its own object changes', () => {
    const data = join(folder, '..2026_11_25');
    mkdirSync(data);
    writeFileSync(join(data, 'vigil.yaml'), 'old');
    symlinkSync('..2026_11_25', join(folder, '..data'));
    rmSync(file);
    symlinkSync('..data/vigil.yaml', file);
    expect(() => replaceFile(file, 'new')).toThrow(/ConfigMap/);
    expect(readFileSync(file, 'utf8')).toBe('old');
  });

  it('refuses a file that would go on under another name', () => {
    linkSync(file, join(folder, 'other.yaml'));
    expect(() => replaceFile(file, 'new')).toThrow(/2 names/);
  });
});
