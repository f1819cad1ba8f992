import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { EXIT } from '../../../src/commands/exit-codes.js';
import { runSettle } from '../../../src/commands/settle.js';
import { runShow } from '../../../src/commands/show.js';
import { runStatus } from '../../../src/commands/status.js';
import { DeliveryStore } from '../../../src/store/delivery-store.js';
import { queueReport } from '../deliver/queued-reports.js';
import { StoreRig } from '../store/rig.js';

const PATIENT = 'SECRET-4711';
const OTHER_PATIENT = 'SECRET-4712';
const STUDY = '1.2.1';

let rig: StoreRig;
let config: string;
let printed: MockInstance<typeof console.log>;
let complained: MockInstance<typeof console.error>;

/** A reported study of which one report was refused for good, and a slice of another patient in it. */
beforeEach(async () => {
  rig = await StoreRig.open();
  printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  complained = vi.spyOn(console, 'error').mockImplementation(() => {});
  const slice = { study: STUDY, series: `${STUDY}.1`, patient: PATIENT };
  rig.ingest.accept(rig.received({ ...slice, sop: `${STUDY}.1.2`, patient: 'patient' }));
  rig.ingest.flush();
  await queueReport(rig, 1, 'positive', { kinds: ['sr', 'heatmap'], to: ['pacs'] });
  const deliveries = new DeliveryStore(rig.catalog, rig.folder);
  const [first] = deliveries.claim('pacs', 10, Date.now());
  if (first === undefined) throw new Error('nothing to deliver');
  deliveries.settle(first, {
    type: 'failed',
    failureClass: 'permanent',
    code: 'cannot-understand',
    status: 0xc000,
  });
  for (const patient of [PATIENT, OTHER_PATIENT]) {
    rig.ingest.accept(
      rig.received({ ...slice, sop: `${STUDY}.1.${patient.at(-1)}`, patient }, patient.slice(-1)),
    );
  }
  rig.ingest.flush();
  config = join(rig.folder, 'vigil.yaml');
  await writeFile(
    config,
    'storage: { folder: . }\ndestinations: { pacs: { aeTitle: X, host: 127.0.0.1, port: 104 } }\n',
  );
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rig[Symbol.asyncDispose]();
});

/** All that was printed, with TIME in place of each time. */
function output(): string {
  const text = printed.mock.calls.map(([line]) => String(line)).join('\n');
  return text.replaceAll(/\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}/g, 'TIME');
}

/** Neither in what was printed, nor in what was complained of. */
function expectNoPatient(): void {
  const all = [...printed.mock.calls, ...complained.mock.calls].join('\n');
  expect(all).not.toContain(PATIENT);
  expect(all).not.toContain(OTHER_PATIENT);
}

describe('vigil status', () => {
  it('prints the queues, the dead letters, the conflicts and the studies', async () => {
    await expect(runStatus({ config, json: false, limit: 5 })).resolves.toBe(EXIT.done);
    expect(output()).toMatchSnapshot();
    expectNoPatient();
  });

  it('says the same as one object', async () => {
    await runStatus({ config, json: true, limit: 5 });
    expect(JSON.parse(output())).toMatchObject({
      counts: { conflicts: 2, deliveriesDead: 1 },
      destinations: [{ destination: 'pacs', dead: 1, configured: true }],
      deadLetters: [{ destination: 'pacs', failureCode: 'cannot-understand', status: 0xc000 }],
      conflicts: [{ kind: 'instance-patient', images: 2, studyInstanceUid: STUDY }],
      studies: [{ studyInstanceUid: STUDY, outcome: 'positive', conflict: true }],
    });
    expectNoPatient();
  });
});

describe('vigil show', () => {
  it('prints what happened to a study, and why', async () => {
    await expect(runShow({ config, json: false, studyInstanceUid: STUDY })).resolves.toBe(
      EXIT.done,
    );
    expect(output()).toMatchSnapshot();
    expectNoPatient();
  });

  it('says where there is no such study', async () => {
    await expect(runShow({ config, json: false, studyInstanceUid: '1.9' })).resolves.toBe(
      EXIT.notFound,
    );
    expect(output()).toBe('');
    expect(complained).toHaveBeenLastCalledWith('1.9 is not in the catalog');
  });
});

describe('vigil settle', () => {
  it('settles the conflicts of a study once, and says how many', async () => {
    const settle = { config, json: false, studyInstanceUid: STUDY, all: false };
    await expect(runSettle(settle)).resolves.toBe(EXIT.done);
    expect(output()).toBe('2 conflicts are settled');
    await expect(runSettle(settle)).resolves.toBe(EXIT.notFound);
    expect(complained).toHaveBeenLastCalledWith(
      'Nothing to settle: no open conflict there (vigil status)',
    );
    printed.mockClear();
    await runShow({ config, json: false, studyInstanceUid: STUDY });
    expect(output()).toMatch(/instance-patient .* settled TIME/);
    printed.mockClear();
    await runStatus({ config, json: false, limit: 5 });
    expect(output()).not.toContain('IN CONFLICT');
    expectNoPatient();
  });

  it('settles all, and prints one object', async () => {
    await expect(runSettle({ config, json: true, all: true })).resolves.toBe(EXIT.done);
    expect(JSON.parse(output())).toEqual({ settled: 2 });
  });

  it.each([
    { studyInstanceUid: STUDY, all: true },
    { studyInstanceUid: undefined, all: false },
  ])('wants a study or all, not %o', async (what) => {
    await expect(runSettle({ config, json: false, ...what })).resolves.toBe(EXIT.usage);
    expect(complained).toHaveBeenLastCalledWith('Say what to settle: a study, or --all');
  });
});
