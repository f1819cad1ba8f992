import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { seeded } from '../../../src/simulate/phantom/random.js';
import { CATALOG_FILE, openCatalog } from '../../../src/store/database.js';
import { Ingest } from '../../../src/store/ingest.js';
import { InstanceFiles } from '../../../src/store/instance-files.js';
import { NodeProcess } from '../../integration/node/node-process.js';
import { auditReports, auditStorage } from '../audit.js';
import { configFor } from '../crash-run.js';
import { ObservedPacs } from '../observed-pacs.js';
import { Sender } from '../sender.js';
import { Disk } from './disk.js';
import { parseSystemCalls, recorder, type SystemCall } from './system-calls.js';

export interface PowerCutResult {
  readonly cuts: number;
  /** Images that were answered 0x0000 before the last cut. */
  readonly acknowledged: number;
  readonly faults: readonly string[];
}

const STUDIES = 2;
const SETTLED_WITHIN_MS = 240_000;

/** Records what the real node does to its storage, cuts the power at `cuts` moments and compares what recovery finds. */
export async function powerCutRun(
  folder: string,
  cuts: number,
  seed: number,
): Promise<PowerCutResult> {
  const { calls, sha256 } = await record(folder, seed);
  const random = seeded(seed);
  const every = calls.length / cuts;
  const disk = new Disk(join(folder, 'disk'));
  const acknowledged = new Map<string, string>();
  const faults: string[] = [];
  let cut = 0;
  for (const [i, call] of calls.entries()) {
    if (call.type === 'sent') {
      const uid = acknowledgedBy(call.bytes);
      const sent = uid === undefined ? undefined : sha256.get(uid);
      if (uid !== undefined && sent !== undefined) acknowledged.set(uid, sent);
    } else {
      disk.apply(call);
    }
    if (i + 1 < (cut + 1) * every) continue;
    cut += 1;
    const target = join(folder, `cut-${cut}`);
    // Nothing, something or everything of what was not synced is there.
    disk.cut(target, [0, 0.5, 0.9, 1][cut % 4] as number, random);
    for (const fault of await faultsAfter(join(target, 'data'), acknowledged)) {
      faults.push(`cut ${cut}, after call ${i + 1} of ${calls.length}: ${fault}`);
    }
    await rm(target, { recursive: true });
  }
  return { cuts: cut, acknowledged: acknowledged.size, faults };
}

async function record(folder: string, seed: number) {
  const root = join(folder, 'disk');
  const config = join(folder, 'vigil.yaml');
  const trace = join(folder, 'system-calls');
  await mkdir(root);
  await using pacs = new ObservedPacs(join(folder, 'pacs'));
  await pacs.start();
  await writeFile(config, configFor(pacs.port, './disk/data'));
  await using node = NodeProcess.spawn(config, { wrapper: recorder(trace) });
  const sender = new Sender(`power cut ${seed}`, seeded(seed));
  await node.ready();
  for (let i = 0; i < STUDIES; i += 1) {
    sender.addStudy();
    await sender.sendMissing(node.port);
  }
  const until = Date.now() + SETTLED_WITHIN_MS;
  const open = () => auditReports(join(root, 'data'), sender.studies, pacs.results).unreported;
  while (open().length > 0) {
    if (Date.now() > until) throw new Error(`Not reported in time: ${open().join('; ')}`);
    await delay(100);
  }
  await node.end('SIGTERM');
  // The recorder holds it open as well, and is done when it is closed.
  await node.report;
  const calls: SystemCall[] = parseSystemCalls(await readFile(trace, 'latin1'), root);
  return { calls, sha256: sender.acknowledged };
}

/** What the node's start does to a storage folder, and what is wrong afterwards. */
async function faultsAfter(
  folder: string,
  acknowledged: ReadonlyMap<string, string>,
): Promise<string[]> {
  const log = pino({ level: 'silent' });
  await mkdir(folder, { recursive: true });
  const catalog = openCatalog(join(folder, CATALOG_FILE));
  try {
    await using files = await InstanceFiles.open(folder, { minimumFreeBytes: 0, log });
    const ingest = new Ingest({ catalog, files, onCommit: () => {}, log });
    ingest.loseOpenAssociations();
    for await (const instance of files.recover()) ingest.recover(instance);
    ingest.flush();
    const results = catalog
      .prepare<[], { file: string; sha256: string }>('SELECT file, sha256 FROM result_object')
      .all();
    const { lost, altered } = auditStorage(folder, acknowledged);
    const found: string[] = [];
    for (const { file, sha256 } of results) {
      const bytes = await readFile(join(folder, file)).catch(() => undefined);
      const found256 = bytes && createHash('sha256').update(bytes).digest('hex');
      if (found256 !== sha256) found.push(`result ${file} is not as its row says`);
    }
    return [...lost, ...altered, ...found];
  } finally {
    catalog.close();
  }
}

const C_STORE_RSP = 0x8001;

/** The SOP Instance UID that a P-DATA-TF with C-STORE-RSP of status 0000 acknowledges (PS3.8 9.3.5, PS3.7 9.3.1.2). */
function acknowledgedBy(pdu: Buffer): string | undefined {
  if (pdu[0] !== 4 || pdu.length < 12 || ((pdu[11] as number) & 1) === 0) return undefined;
  const elements = new Map<number, Buffer>();
  let at = 12;
  while (at + 8 <= pdu.length) {
    const length = pdu.readUInt32LE(at + 4);
    elements.set(pdu.readUInt16LE(at + 2), pdu.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  if (elements.get(0x0100)?.readUInt16LE(0) !== C_STORE_RSP) return undefined;
  if (elements.get(0x0900)?.readUInt16LE(0) !== 0) return undefined;
  return elements.get(0x1000)?.toString('latin1').replace(/\0$/, '');
}
