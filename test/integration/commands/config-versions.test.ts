import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../../src/config/load-settings.js';
import { ConfigVersions } from '../../../src/config-versions.js';
import { vigil } from '../faults/vigil-command.js';
import { temporaryFolder } from '../node/node-rig.js';

const TEXT = '# ours\nlog: { level: info }\n';

/** A configuration that a node has been started with. */
async function configured() {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'vigil.yaml');
  await writeFile(file, TEXT);
  const versions = new ConfigVersions(file);
  versions.noteInForce(await loadSettings(file), 'start');
  return { file, versions, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const config = (file: string, ...args: string[]) => vigil(['config', ...args, '--config', file]);

describe('vigil config', () => {
  it('apply wants to know which version a copy was made from, and says which is there', async () => {
    await using node = await configured();
    const { hash } = await node.versions.current();
    const { code, stderr } = await config(node.file, 'apply', node.file, '--reason', 'to see');
    expect([code, stderr]).toEqual([2, expect.stringContaining(`--from ${hash.slice(0, 12)}`)]);
  });

  it('apply says all that is wrong with a copy by the lines of the copy', async () => {
    await using node = await configured();
    const copy = `${node.file}.new`;
    await writeFile(copy, 'log: { level: loud }\nnode: { port: 99999 }\n');
    const args = ['apply', copy, '--from', '1', '--reason', 'to see'];
    const { code, stderr } = await config(node.file, ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /vigil\.yaml\.new: 2 problems\n {2}line 1:.*log\.level.*line 2:.*node\.port/s,
    );
    expect(await readFile(node.file, 'utf8')).toBe(TEXT);
  });

  it('edit applies what the editor leaves, history and show tell it, rollback undoes it', async () => {
    await using node = await configured();
    process.env['EDITOR'] = 'sed -i s/info/debug/';
    try {
      const edited = await config(node.file, 'edit', '--reason', "the night's noise");
      expect(edited).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Written as version 2'),
      });
    } finally {
      delete process.env['EDITOR'];
    }
    expect(await readFile(node.file, 'utf8')).toBe('# ours\nlog: { level: debug }\n');
    const history = await config(node.file, 'history');
    expect(history.stdout).toMatch(
      /^version .*\n2 .*command .*the night's noise\n1 .*the first start\n$/,
    );
    expect((await config(node.file, 'show', '1')).stdout).toBe(TEXT);
    expect(await config(node.file, 'show', '7')).toMatchObject({ code: 3 });
    await config(node.file, 'rollback', '1', '--reason', 'too loud');
    expect(await readFile(node.file, 'utf8')).toBe(TEXT);
  });

  it('edit keeps a copy that is faulty, and says how it is applied when it is mended', async () => {
    await using node = await configured();
    process.env['EDITOR'] = 'sed -i s/info/loud/';
    try {
      const { code, stderr } = await config(node.file, 'edit', '--reason', "it's loud");
      expect(code).toBe(2);
      expect(stderr).toMatch(/1 problem\n {2}line 2:.*log\.level/);
      const [, copy = ''] =
        /config apply (\S+) --from \S+ --reason 'it'\\''s loud'/.exec(stderr) ?? [];
      expect(await readFile(copy, 'utf8')).toContain('loud');
    } finally {
      delete process.env['EDITOR'];
    }
    expect(await readFile(node.file, 'utf8')).toBe(TEXT);
  });
});
