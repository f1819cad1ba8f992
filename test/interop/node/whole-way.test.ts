import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../../src/app.js';
import { bleedingHead, type HeadSeries, realHead } from '../../fixtures/head-series.js';
import {
  settingsIn,
  startNode,
  temporaryFolder,
  untilReported,
} from '../../integration/node/node-rig.js';
import { freePort, startOrthanc, startServer } from '../servers.js';
import { findTool, requireTools } from '../tools.js';

const run = promisify(execFile);
/** DCMTK waits 40 ms for each image's acknowledgement otherwise. */
const environment = { ...process.env, TCP_NODELAY: '1' };

const tools = requireTools(
  ...['storescp', 'storescu', 'dcmsend', 'dcmcjpeg', 'dcmcjpls', 'dcmcrle', 'dsrdump'],
  ...['gdcmconv', 'dciodvfy', 'Orthanc'],
);

/** How a scanner or a PACS may have compressed a series: the program that does it, and storescu's proposal. */
const COMPRESSIONS: readonly (readonly [
  name: string,
  tool: readonly string[],
  proposal: string,
])[] = [
  ['JPEG lossless', ['dcmcjpeg', '+e1'], '-xs'],
  ['JPEG-LS', ['dcmcjpls'], '-xt'],
  ['JPEG 2000', ['gdcmconv', '--j2k'], '-xv'],
  ['RLE', ['dcmcrle'], '-xr'],
];

/** A node with a DCMTK storescp and an Orthanc as destinations; the Orthanc can also send to the node. */
describe.runIf(tools)('the whole way, with DCMTK and Orthanc', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let storescp: AsyncDisposable;
  let orthanc: Awaited<ReturnType<typeof startOrthanc>>;
  let app: App;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const [port, dicomPort] = [await freePort(), await freePort()];
    await mkdir(join(folder.path, 'storescp'));
    // Its own choice of presentation contexts is the old one without Comprehensive 3D SR unless it takes all.
    const args = ['-aet', 'STORESCP', '-pm', '-od', join(folder.path, 'storescp'), String(port)];
    storescp = await startServer('storescp', args, port);
    orthanc = await startOrthanc(join(folder.path, 'orthanc'), { vigil: ['VIGIL', dicomPort] });
    const settings = settingsIn(
      folder.path,
      `
completeness: { likelySeconds: 0.5 }
destinations:
  storescp: { aeTitle: STORESCP, host: 127.0.0.1, port: ${port} }
  orthanc: { aeTitle: ORTHANC, host: 127.0.0.1, port: ${orthanc.port} }
routes:
  - { name: everything, send: { to: [storescp, orthanc] } }
`,
    );
    app = await startNode({ ...settings, node: { ...settings.node, port: dicomPort } });
  });

  afterAll(async () => {
    await app.stop();
    await orthanc[Symbol.asyncDispose]();
    await storescp[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  /** Writes the series' files in an order that is neither up nor down, as their names sort. */
  async function written(name: string, { files }: HeadSeries): Promise<string> {
    const path = join(folder.path, name.replaceAll(' ', '-'));
    await mkdir(path);
    const { length } = files;
    const step = length % 7 === 0 ? 5 : 7;
    for (let i = 0; i < length; i += 1) {
      const file = files[(i * step) % length] as Buffer;
      await writeFile(join(path, `${String(i).padStart(3, '0')}.dcm`), file);
    }
    return path;
  }

  /** Both destinations have every object; each is valid, and Orthanc shows them in the patient's own study. */
  async function expectDelivered({ studyInstanceUid, patientId, files }: HeadSeries) {
    const study = await untilReported(app, studyInstanceUid);
    expect(study.series).toMatchObject([{ instances: files.length, verdict: 'analysed' }]);
    const { deliveries } = study;
    for (const { state } of deliveries) expect(state).toBe('delivered');
    const at = (name: string) =>
      deliveries.filter(({ destination }) => destination === name).map((one) => one.sopInstanceUid);
    expect(at('storescp').sort()).toEqual(at('orthanc').sort());
    expect(at('storescp').length).toBeGreaterThanOrEqual(2);

    const names = await readdir(join(folder.path, 'storescp'));
    for (const uid of at('storescp')) {
      const file = join(folder.path, 'storescp', names.find((name) => name.endsWith(uid)) ?? uid);
      const { stdout, stderr } = await run('dciodvfy', ['-new', file]);
      expect(`${stdout}${stderr}`.split('\n').filter((line) => line.startsWith('Error'))).toEqual(
        [],
      );
      if (/\/SR/.test(file)) await run('dsrdump', [file], { env: environment });
    }

    for (const file of files) expect((await orthanc.post('/instances', file)).status).toBe(200);
    const found = (await (
      await orthanc.post(
        '/tools/find',
        JSON.stringify({
          Level: 'Study',
          Expand: true,
          Query: { StudyInstanceUID: studyInstanceUid },
        }),
      )
    ).json()) as { ID: string; Series: string[]; PatientMainDicomTags: { PatientID: string } }[];
    expect(found).toHaveLength(1);
    expect(found[0]?.PatientMainDicomTags.PatientID).toBe(patientId);
    const instances = (await (await orthanc.get(`/studies/${found[0]?.ID}/instances`)).json()) as {
      MainDicomTags: { SOPInstanceUID: string };
    }[];
    const uids = new Set(instances.map(({ MainDicomTags }) => MainDicomTags.SOPInstanceUID));
    expect(at('orthanc').every((uid) => uids.has(uid))).toBe(true);
    expect(instances).toHaveLength(files.length + at('orthanc').length);
    return study;
  }

  const target = () => ['-aec', 'VIGIL', '127.0.0.1', String(app.ports.dicom)];

  it('takes a real head from dcmsend', async () => {
    const head = realHead(1);
    const path = await written('dcmsend', head);
    await run('dcmsend', [...target(), '+sd', path], { env: environment });
    await expectDelivered(head);
  });

  it('finds a bleed in a series that storescu sends over four associations', async () => {
    const head = await bleedingHead(2);
    const path = await written('bleed', head);
    const names = (await readdir(path)).map((name) => join(path, name));
    await Promise.all(
      [0, 1, 2, 3].map((share) =>
        run('storescu', [...target(), ...names.filter((_, i) => i % 4 === share)], {
          env: environment,
        }),
      ),
    );
    const study = await expectDelivered(head);
    expect(study.analyses.at(-1)?.outcome).toBe('positive');
  });

  it.each(COMPRESSIONS)('reads %s', async (name, [tool = '', ...options], proposal) => {
    const head = realHead(10 + COMPRESSIONS.findIndex(([one]) => one === name));
    const plain = await written(`${name} plain`, head);
    const path = join(folder.path, name.replaceAll(' ', '-'));
    await mkdir(path);
    for (const file of await readdir(plain)) {
      await run(findTool(tool) ?? tool, [...options, join(plain, file), join(path, file)]);
    }
    await run('storescu', [proposal, ...target(), '+sd', path], { env: environment });
    const study = await expectDelivered(head);
    expect(study.analyses[0]?.finding?.slices).toHaveLength(head.files.length);
  });

  it('takes what an Orthanc forwards', async () => {
    const head = realHead(20);
    for (const file of head.files) await orthanc.post('/instances', file);
    const found = (await (
      await orthanc.post(
        '/tools/find',
        JSON.stringify({ Level: 'Study', Query: { StudyInstanceUID: head.studyInstanceUid } }),
      )
    ).json()) as string[];
    const answer = await orthanc.post('/modalities/vigil/store', found[0] ?? '');
    expect(answer.status).toBe(200);
    await expectDelivered(head);
  });
});
