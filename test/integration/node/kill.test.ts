import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import { ScannerError, scan } from '../../../src/simulate/scanner.js';
import { openCatalog } from '../../../src/store/database.js';
import { StatusStore, type StudyDetail } from '../../../src/store/status-store.js';
import { NodeProcess } from './node-process.js';
import { allTo, startPacs, temporaryFolder } from './node-rig.js';

function studyIn(folder: string, studyInstanceUid: string): StudyDetail | undefined {
  const catalog = openCatalog(join(folder, 'data/catalog.db'));
  try {
    return new StatusStore(catalog).study(studyInstanceUid);
  } finally {
    catalog.close();
  }
}

describe('the node, killed', () => {
  it('keeps what it acknowledged and reports the study once', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    const config = join(folder.path, 'vigil.yaml');
    await writeFile(
      config,
      `node: { host: 127.0.0.1, port: 0 }
storage: { folder: ./data, minFreeMb: 1 }
admin: { port: 0 }
${allTo(pacs)}`,
    );
    const head = headPhantomStudy({ seed: 5, bleed: { type: 'subdural' } });
    const files = head.images.map(({ part10 }) => part10);
    const acknowledged = new Set<string>();
    const send = async (port: number, images: readonly Buffer[]): Promise<void> => {
      const options = { host: '127.0.0.1', port, calledAeTitle: 'VIGIL', imagesPerSecond: 60 };
      const answers = await scan(options, images).catch((error: unknown) => {
        if (error instanceof ScannerError) return error.acknowledged;
        throw error;
      });
      for (const { sopInstanceUid, status } of answers) {
        if (status === 0) acknowledged.add(sopInstanceUid);
      }
    };

    for (const images of [files.slice(0, 12), files.slice(8, 24), files]) {
      await using node = await NodeProcess.start(config);
      const sent = send(node.port, images);
      // A slice of this run has come into the folder: the kill falls somewhere after it.
      const before = acknowledged.size;
      await vi.waitFor(() => {
        const known = readdirSync(join(folder.path, 'data'), { recursive: true }) as string[];
        if (known.filter((name) => name.endsWith('.dcm')).length <= before) throw new Error('none');
      });
      await node.end('SIGKILL');
      await sent;
    }
    await using node = await NodeProcess.start(config);
    await send(node.port, files);
    expect(acknowledged.size).toBe(files.length);

    const study = await vi.waitFor(
      () => {
        const found = studyIn(folder.path, head.studyInstanceUid);
        const newest = found?.analyses.at(-1);
        const open = found?.deliveries.some(({ settledAt }) => settledAt === null);
        if (newest?.state !== 'reported' || open) throw new Error('not reported yet');
        if (found?.series[0]?.instances !== files.length) throw new Error('slices are missing');
        return found as StudyDetail;
      },
      { timeout: 50_000, interval: 50 },
    );
    expect(await node.end('SIGTERM')).toBe(0);

    const stored = readdirSync(
      join(folder.path, 'data/instances', head.studyInstanceUid, head.seriesInstanceUid),
    );
    expect(new Set(stored)).toEqual(new Set([...acknowledged].map((uid) => `${uid}.dcm`)));
    expect(readdirSync(join(folder.path, 'data/incoming'))).toEqual([]);
    const reports = new Map<string, Buffer>();
    for (const { sopInstanceUid, file } of pacs.received) {
      const bytes = readFileSync(file);
      expect(reports.get(sopInstanceUid)?.equals(bytes) ?? true).toBe(true);
      reports.set(sopInstanceUid, bytes);
    }
    const settled = study.deliveries.filter(({ state }) => state === 'delivered');
    expect(settled.every(({ sopInstanceUid }) => reports.has(sopInstanceUid))).toBe(true);
    expect(study.deliveries.every(({ state }) => state === 'delivered')).toBe(true);
  });
});
