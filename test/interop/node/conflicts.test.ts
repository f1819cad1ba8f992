import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { realHead } from '../../fixtures/head-series.js';
import {
  allTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from '../../integration/node/node-rig.js';
import { requireTools } from '../tools.js';

const run = promisify(execFile);
/** DCMTK waits 40 ms for each image's acknowledgement otherwise. */
const env = { ...process.env, TCP_NODELAY: '1' };
const COMPREHENSIVE_3D_SR = '1.2.840.10008.5.1.4.1.1.88.34';

const tools = requireTools('storescu', 'dcmodify', 'dcmdump', 'dsrdump', 'dciodvfy');

describe.runIf(tools)('images that DCMTK has changed and sends again', () => {
  it('correct a name, and contradict the patient: the report says so, and what it supersedes', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path, { refusedSopClasses: [COMPREHENSIVE_3D_SR] });
    await using app = await startNode(settingsIn(folder.path, allTo(pacs)));
    const head = realHead(31);
    const target = ['-aec', 'VIGIL', '127.0.0.1', String(app.ports.dicom), '+sd'];
    /** Sends some of the files, changed by dcmodify. */
    const send = async (name: string, count: number, ...changes: readonly string[]) => {
      const path = join(folder.path, name);
      await mkdir(path);
      for (const [i, file] of head.files.slice(0, count).entries()) {
        await writeFile(join(path, `${i}.dcm`), file);
      }
      const files = (await readdir(path)).map((file) => join(path, file));
      if (changes.length > 0) await run('dcmodify', ['-nb', ...changes, ...files]);
      await run('storescu', [...target, path], { env });
    };

    await send('first', head.files.length);
    await untilReported(app, head.studyInstanceUid);
    await send('corrected', 5, '-i', '0010,0010=CORRECTED^NAME', '-i', '0008,0050=A-77');
    await send('another', 3, '-gin', '-i', '0010,0020=ANOTHER-PATIENT');
    const study = await untilReported(app, head.studyInstanceUid, 2);

    const kinds = study.conflicts.map(({ kind }) => kind).sort();
    expect(kinds).toEqual([
      ...Array.from({ length: 5 }, () => 'instance-header'),
      ...Array.from({ length: 3 }, () => 'study-patient'),
    ]);
    expect(study.analyses[1]?.outcome).not.toBe('negative');
    const fallbacks = study.objects.filter(({ fallbackFor }) => fallbackFor !== null);
    const at = (revision: number) =>
      pacs.received.find(
        ({ sopInstanceUid }) =>
          sopInstanceUid ===
          fallbacks.find((object) => object.revision === revision)?.sopInstanceUid,
      );
    const file = join(folder.path, 'report.dcm');
    await copyFile(at(2)?.file ?? '', file);
    const dumped = await run('dsrdump', ['+Pl', file]);
    expect(dumped.stdout).toContain('name another patient than the first that came');
    const { stdout } = await run('dcmdump', ['+P', '0040,a360', file]);
    expect(stdout).toContain(at(1)?.sopInstanceUid);
    const checked = await run('dciodvfy', ['-new', file]).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    const lines = `${checked.stdout}\n${checked.stderr}`.split('\n');
    expect(lines.filter((line) => line.startsWith('Error'))).toEqual([]);
  });
});
