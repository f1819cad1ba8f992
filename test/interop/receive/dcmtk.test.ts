import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFileMeta, readFileMeta } from '../../../src/dicom/file-meta.js';
import type { ReceivedInstance } from '../../../src/domain/received-instance.js';
import { CT, EXPLICIT } from '../../integration/receive/raw-scu.js';
import { ReceiveRig, slice } from '../../integration/receive/receive-rig.js';
import { requireTools } from '../tools.js';

const run = promisify(execFile);
/** DCMTK waits 40 ms for each image's acknowledgement otherwise. */
const environment = { ...process.env, TCP_NODELAY: '1' };
const SERIES = '../shared/data/head-ct-ge';

/** How to make each transfer syntax from an explicit little endian file, and how to propose it with storescu. */
const TRANSFER_SYNTAXES: [string, string, string, string[], string][] = [
  ['implicit little endian', '1.2.840.10008.1.2', 'dcmconv', ['+ti'], '-xi'],
  ['explicit little endian', EXPLICIT, 'dcmconv', ['+te'], '-xe'],
  ['explicit big endian', '1.2.840.10008.1.2.2', 'dcmconv', ['+tb'], '-xb'],
  ['deflated', '1.2.840.10008.1.2.1.99', 'dcmconv', ['+td'], '-xd'],
  ['RLE', '1.2.840.10008.1.2.5', 'dcmcrle', [], '-xr'],
  ['JPEG lossless', '1.2.840.10008.1.2.4.70', 'dcmcjpeg', ['+e1'], '-xs'],
  ['JPEG-LS', '1.2.840.10008.1.2.4.80', 'dcmcjpls', [], '-xt'],
  ['JPEG 2000', '1.2.840.10008.1.2.4.90', 'gdcmconv', ['--j2k'], '-xv'],
];

const tools = requireTools(
  'echoscu',
  'storescu',
  'dcmsend',
  'dcmconv',
  'dcmcrle',
  'dcmcjpeg',
  'dcmcjpls',
  'gdcmconv',
);

describe.runIf(tools)('DCMTK as sender', () => {
  let folder: string;
  let files: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vigil-dcmtk-'));
    files = existsSync(SERIES) ? await realSeries() : await generatedSeries(folder);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('echoscu verifies the connection', async () => {
    await using rig = await ReceiveRig.start();
    await run('echoscu', ['127.0.0.1', String(rig.port)], { env: environment });
  });

  it.each(TRANSFER_SYNTAXES)('storescu sends %s', async (name, uid, tool, options, proposal) => {
    await using rig = await ReceiveRig.start();
    const converted = join(folder, name.replaceAll(' ', '-'));
    await mkdir(converted);
    for (const file of files.slice(0, 4)) {
      await run(tool, [...options, file, join(converted, file.slice(file.lastIndexOf('/') + 1))]);
    }
    const received = collect(rig);
    const args = [proposal, '+sd', '127.0.0.1', String(rig.port), converted];
    await run('storescu', args, { env: environment });
    expect(received).toHaveLength(4);
    for (const { header } of received) expect(header.transferSyntaxUid).toBe(uid);
    expect(await stored(rig, received)).toEqual(await datasets(await filesIn(converted)));
  });

  it('dcmsend sends a series over four associations at once', async () => {
    await using rig = await ReceiveRig.start();
    const received = collect(rig);
    const shares = [0, 1, 2, 3].map((share) => files.filter((_, i) => i % 4 === share));
    await Promise.all(
      shares.map((share) =>
        run('dcmsend', ['127.0.0.1', String(rig.port), ...share], { env: environment }),
      ),
    );
    expect(await stored(rig, received)).toEqual(await datasets(files));
    const frames = received.flatMap(({ header }) => header.frames);
    for (const frame of frames) expect(frame.imagePositionPatient).toHaveLength(3);
    expect(await rig.incoming()).toEqual([]);
  });

  it('storescu proposes everything it has, in the smallest PDUs', async () => {
    await using rig = await ReceiveRig.start();
    const received = collect(rig);
    const [file = ''] = files;
    const args = ['--max-send-pdu', '4096', '127.0.0.1', String(rig.port), file];
    await run('storescu', args, { env: environment });
    expect(await stored(rig, received)).toEqual(await datasets([file]));
  });

  it('storescu is told why it is rejected', async () => {
    await using rig = await ReceiveRig.start({ calledAeTitles: ['VIGIL'] });
    const args = ['-aec', 'OTHER', '127.0.0.1', String(rig.port)];
    await expect(run('echoscu', args, { env: environment })).rejects.toMatchObject({
      stderr: expect.stringContaining('Called AE Title Not Recognized'),
    });
  });
});

function collect(rig: ReceiveRig): ReceivedInstance[] {
  const received: ReceivedInstance[] = [];
  rig.on('received', (instance) => received.push(instance));
  return received;
}

/** Checksums of what the archive holds. */
function stored(rig: ReceiveRig, received: readonly ReceivedInstance[]): Promise<string[]> {
  rig.ingest.flush();
  return datasets(received.map(({ header }) => join(rig.folder, rig.files.instancePath(header))));
}

/** Checksums of datasets, inflated where they are deflated: storescu deflates them anew. */
async function datasets(files: readonly string[]): Promise<string[]> {
  const sums = files.map(async (file) => {
    const bytes = await readFile(file);
    const meta = readFileMeta(bytes);
    const dataset = bytes.subarray(meta?.datasetOffset);
    const isDeflated = meta?.transferSyntaxUid === '1.2.840.10008.1.2.1.99';
    const content = isDeflated ? inflateRawSync(dataset) : dataset;
    return createHash('sha256').update(content).digest('hex');
  });
  return (await Promise.all(sums)).sort();
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).map((name) => join(folder, name));
}

async function realSeries(): Promise<string[]> {
  return (await filesIn(SERIES)).filter((file) => file.endsWith('.dcm')).sort();
}

async function generatedSeries(folder: string): Promise<string[]> {
  const series = join(folder, 'series');
  await mkdir(series);
  const files = Array.from({ length: 8 }, async (_, i) => {
    const sopInstanceUid = `1.2.826.0.1.3680043.10.1.${i + 1}`;
    const instance = { sopClassUid: CT, sopInstanceUid, transferSyntaxUid: EXPLICIT };
    const dataset = slice(
      sopInstanceUid,
      2 * 64 * 64,
      [0x00280010, 'US', 64],
      [0x00280011, 'US', 64],
      [0x00200032, 'DS', `-16\\-16\\${5 * i}`],
    );
    const file = join(series, `${i}.dcm`);
    await writeFile(file, Buffer.concat([encodeFileMeta(instance), dataset]));
    return file;
  });
  return Promise.all(files);
}
