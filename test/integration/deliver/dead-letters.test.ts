import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import {
  type DeliveryCommandOptions,
  runAbandon,
  runResend,
} from '../../../src/commands/deliveries.js';
import { EXIT } from '../../../src/commands/exit-codes.js';
import { runShow } from '../../../src/commands/show.js';
import { runStatus } from '../../../src/commands/status.js';
import { DeliveryStore } from '../../../src/store/delivery-store.js';
import { StoreRig } from '../store/rig.js';
import { queueReport } from './queued-reports.js';

let printed: MockInstance<typeof console.log>;
let complained: MockInstance<typeof console.error>;

beforeEach(() => {
  printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  complained = vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const lastText = (spy: typeof printed | typeof complained) => String(spy.mock.lastCall?.[0]);

/** Two studies whose reports `pacs` and `archive` have refused for good; the configuration names `destinations`. */
async function refused(rig: StoreRig, destinations: readonly string[]): Promise<string> {
  const store = new DeliveryStore(rig.catalog, rig.folder);
  for (const study of [1, 2]) {
    await queueReport(rig, study, 'positive', { kinds: ['sr'], to: ['pacs', 'archive'] });
  }
  for (const destination of ['pacs', 'archive']) {
    for (const delivery of store.claim(destination, 10, Date.now())) {
      const failureClass = 'permanent';
      store.settle(delivery, {
        type: 'failed',
        failureClass,
        code: 'cannot-understand',
        status: 0xc000,
      });
    }
  }
  return configure(rig, destinations);
}

async function configure(rig: StoreRig, destinations: readonly string[]): Promise<string> {
  const file = join(rig.folder, 'vigil.yaml');
  const lines = destinations.map((name) => `  ${name}: { aeTitle: X, host: 127.0.0.1, port: 104 }`);
  await writeFile(
    file,
    ['storage: { folder: . }', lines.length > 0 ? 'destinations:' : '', ...lines, ''].join('\n'),
  );
  return file;
}

function states(rig: StoreRig): string[] {
  const rows = rig.rows(`SELECT a.study_instance_uid || ' ' || destination || ' ' || d.state AS line
    FROM delivery d JOIN result_object USING (sop_instance_uid) JOIN analysis a USING (analysis_id)
    WHERE d.state <> 'dead' ORDER BY 1`) as { line: string }[];
  return rows.map(({ line }) => line);
}

const STUDY = '1.2.1';

describe('dead letters', () => {
  it('stand in vigil status and vigil show with their reason', async () => {
    await using rig = await StoreRig.open();
    const config = await refused(rig, ['pacs', 'archive']);
    await runStatus({ config, json: true, limit: 20 });
    const status = JSON.parse(lastText(printed));
    expect(status.counts.deliveriesDead).toBe(4);
    expect(status.destinations).toMatchObject([
      { destination: 'archive', dead: 2, configured: true },
      { destination: 'pacs', dead: 2, configured: true },
    ]);
    expect(status.deadLetters[0]).toMatchObject({
      destination: 'pacs',
      kind: 'sr',
      status: 0xc000,
      failureClass: 'permanent',
      failureCode: 'cannot-understand',
      studyInstanceUid: STUDY,
    });
    await runStatus({ config, json: false, limit: 1 });
    expect(lastText(printed)).toMatch(
      /pacs +sr +0xC000 cannot-understand \(permanent\) +1 +1\.2\.1/,
    );
    expect(lastText(printed)).toContain('3 more');
    await runShow({ config, json: false, studyInstanceUid: STUDY });
    expect(lastText(printed)).toMatch(/sr +pacs +dead +0xC000 cannot-understand \(permanent\)/);
  });

  it.each<[string, Partial<DeliveryCommandOptions>, string[]]>([
    ['one study', { studyInstanceUid: STUDY }, ['1.2.1 archive due', '1.2.1 pacs due']],
    ['one study at one destination', { studyInstanceUid: STUDY, to: 'pacs' }, ['1.2.1 pacs due']],
    ['one destination', { to: 'archive' }, ['1.2.1 archive due', '1.2.2 archive due']],
    [
      'all dead letters',
      { dead: true },
      ['1.2.1 archive due', '1.2.1 pacs due', '1.2.2 archive due', '1.2.2 pacs due'],
    ],
  ])('are sent again by one command: %s', async (_, options, expected) => {
    await using rig = await StoreRig.open();
    const config = await refused(rig, ['pacs', 'archive']);
    expect(await runResend({ config, json: false, ...options })).toBe(EXIT.done);
    expect(lastText(printed)).toBe(`${expected.length} deliveries are due again`);
    expect(states(rig)).toEqual(expected);
    expect(
      rig.rows("SELECT DISTINCT attempts, failure_code FROM delivery WHERE state = 'due'"),
    ).toEqual([{ attempts: 0, failure_code: null }]);
  });

  it('are not sent to a destination that the configuration does not name', async () => {
    await using rig = await StoreRig.open();
    const config = await refused(rig, ['pacs']);
    expect(await runResend({ config, json: false, to: 'archive' })).toBe(EXIT.usage);
    expect(lastText(complained)).toContain('no destination "archive": one of pacs');
    expect(await runResend({ config, json: false, dead: true })).toBe(EXIT.done);
    expect(states(rig)).toEqual(['1.2.1 pacs due', '1.2.2 pacs due']);
  });

  it('need to be named: nothing is resent or abandoned by mistake', async () => {
    await using rig = await StoreRig.open();
    const config = await refused(rig, ['pacs', 'archive']);
    expect(await runResend({ config, json: false })).toBe(EXIT.usage);
    expect(await runAbandon({ config, json: false })).toBe(EXIT.usage);
    expect(states(rig)).toEqual([]);
    expect(await runResend({ config, json: false, studyInstanceUid: '9.9' })).toBe(EXIT.notFound);
  });

  it('can be abandoned, which is written down, and taken back', async () => {
    await using rig = await StoreRig.open();
    const config = await refused(rig, ['pacs', 'archive']);
    expect(await runAbandon({ config, json: false, studyInstanceUid: STUDY, to: 'pacs' })).toBe(0);
    expect(states(rig)).toEqual(['1.2.1 pacs abandoned']);
    expect(rig.rows("SELECT count(*) AS n FROM event WHERE kind = 'delivery-abandoned'")).toEqual([
      { n: 1 },
    ]);
    expect(await runResend({ config, json: false, studyInstanceUid: STUDY, to: 'pacs' })).toBe(0);
    expect(states(rig)).toEqual(['1.2.1 pacs due']);
  });
});

describe('what waits for a destination or by a route that is gone', () => {
  it('is shown, and only abandoned when a person says so', async () => {
    await using rig = await StoreRig.open();
    await queueReport(rig, 1, 'positive', { kinds: ['sr'], to: ['pacs', 'archive'] });
    const config = await configure(rig, ['pacs']);
    await runStatus({ config, json: false, limit: 5 });
    expect(lastText(printed)).toMatch(/archive +1 +0 +0 .*NOT CONFIGURED/);
    expect(lastText(printed)).toContain(
      'Route all is gone from the configuration; 1 that it asked for still go to pacs.',
    );
    expect(await runAbandon({ config, json: false, to: 'pacs' })).toBe(EXIT.notFound);
    expect(await runAbandon({ config, json: false, to: 'archive' })).toBe(EXIT.done);
    expect(states(rig)).toEqual(['1.2.1 archive abandoned', '1.2.1 pacs due']);
  });
});
