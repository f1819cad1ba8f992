import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import { scan } from '../../../src/simulate/scanner.js';
import { pdu, pdv } from '../../unit/receive/pdu-bytes.js';
import { vigil } from '../faults/vigil-command.js';
import { RawScu, releaseRq, storeCommand } from '../receive/raw-scu.js';
import { NodeProcess } from './node-process.js';
import { allTo, startPacs, temporaryFolder } from './node-rig.js';

const base = `node: { host: 127.0.0.1, port: 0 }
storage: { folder: ./data, minFreeMb: 1 }
admin: { port: 0 }
`;

const PIECE = 16_000;

describe('a changed configuration', () => {
  it('counts on SIGHUP without a restart; a bad one leaves the old one in force', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    const file = join(folder.path, 'vigil.yaml');
    await writeFile(file, base);
    await using node = await NodeProcess.start(file);

    const applied = node.logged('configuration applied');
    await writeFile(file, `${base}${allTo(pacs)}`);
    node.signal('SIGHUP');
    await applied;
    const refused = node.logged('changed configuration refused');
    await writeFile(file, `${base}routes: [{ name: wrong, send: { to: [nowhere] } }]\n`);
    node.signal('SIGHUP');
    await refused;

    const received = new Promise((resolve) => pacs.once('received', resolve));
    const { localizer } = headPhantomStudy({ seed: 3 });
    await scan({ host: '127.0.0.1', port: node.port, calledAeTitle: 'VIGIL' }, [localizer.part10]);
    await expect(received).resolves.toMatchObject({ callingAeTitle: 'VIGIL' });

    await writeFile(file, `${base}${allTo(pacs)}`.replace('everything', 'everything-else'));
    const diff = await vigil(['config', 'diff', '--config', file]);
    expect(diff).toMatchObject({ code: 0, stdout: expect.stringMatching(/everything-else/) });
    const replay = await vigil(['replay', '--last', '7d', '--config', file, '--json']);
    expect(JSON.parse(replay.stdout)).toMatchObject({ studies: 1, rerouted: [] });
  });

  it('is applied while an image is on its way: the association goes on, and the new routes hold', async () => {
    await using folder = await temporaryFolder();
    await using first = await startPacs(folder.path);
    await using second = await startPacs(folder.path, { folder: join(folder.path, 'second') });
    const file = join(folder.path, 'vigil.yaml');
    await writeFile(file, `${base}${allTo(first)}`);
    await using node = await NodeProcess.start(file);
    const { localizer } = headPhantomStudy({ seed: 3 });
    const meta = readFileMeta(localizer.part10);
    if (meta === undefined) throw new Error('the phantom is no Part 10 file');
    const { sopClassUid, sopInstanceUid, transferSyntaxUid, datasetOffset } = meta;
    const bytes = Buffer.from(localizer.part10).subarray(datasetOffset);
    const half = Math.floor(bytes.length / 4) * 2;
    const context = { id: 1, abstractSyntax: sopClassUid, transferSyntaxes: [transferSyntaxUid] };
    await using scanner = await RawScu.associated(node.port, { contexts: [context] });
    /** In PDUs that the node takes; the last one ends the dataset where `last` is set. */
    const pieces = (value: Buffer, last: boolean) =>
      Array.from({ length: Math.ceil(value.length / PIECE) }, (_, i) => {
        const part = value.subarray(i * PIECE, (i + 1) * PIECE);
        const isLast = last && (i + 1) * PIECE >= value.length;
        return pdu(4, pdv(1, { command: false, last: isLast }, part));
      });
    const command = storeCommand({ sopInstanceUid, sopClassUid });
    scanner.send(command, ...pieces(bytes.subarray(0, half), false));

    const copy = join(folder.path, 'copy.yaml');
    await copyFile(file, copy);
    await writeFile(copy, `${base}# the new one\n${allTo(second)}`);
    const applied = node.logged('configuration applied');
    const options = ['--config', file, '--reason', 'the first one is full'];
    const { code, stdout } = await vigil(['config', 'apply', copy, '--from', '1', ...options]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('The node works by it')]);
    await applied;
    expect(await readFile(file, 'utf8')).toContain('# the new one');

    const received = new Promise((resolve) => second.once('received', resolve));
    scanner.send(...pieces(bytes.subarray(half), true));
    expect(await scanner.response()).toMatchObject({ status: 0 });
    // The same association, after the change: the same image once more.
    scanner.send(command, ...pieces(bytes, true));
    expect(await scanner.response()).toMatchObject({ status: 0 });
    scanner.send(releaseRq);
    expect(await scanner.next()).toMatchObject({ type: 6 });
    await received;
    expect(first.received).toEqual([]);
  });

  it('that was refused fails the health until it is rolled back', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'vigil.yaml');
    await writeFile(file, base);
    await using node = await NodeProcess.start(file);
    const health = async () => {
      const answer = await fetch(`http://127.0.0.1:${node.adminPort}/healthz`);
      return (await answer.json()) as { checks: { configuration: { ok: boolean } } };
    };
    expect((await health()).checks.configuration).toEqual({ ok: true });
    const refused = node.logged('changed configuration refused');
    await writeFile(file, `${base}log: { level: loud }\n`);
    await refused;
    expect((await health()).checks.configuration).toMatchObject({ ok: false });
    const applied = node.logged('configuration applied');
    const rollback = ['config', 'rollback', '1', '--config', file, '--reason', 'a slip'];
    expect(await vigil(rollback)).toMatchObject({ code: 0 });
    await applied;
    expect((await health()).checks.configuration).toEqual({ ok: true });
    const { stdout } = await vigil(['config', 'history', '--config', file, '--json']);
    expect(JSON.parse(stdout).versions).toMatchObject([
      { version: 3, rollbackTo: 1, reason: 'a slip', inForceAt: expect.any(Number) },
      { version: 2, who: 'file' },
      { version: 1, who: 'file', inForceAt: expect.any(Number) },
    ]);
  });
});
