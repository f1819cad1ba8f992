import { describe, expect, it } from 'vitest';
import { DeliveryStore } from '../../../src/store/delivery-store.js';
import { heldTimers } from '../held-timers.js';
import { StoreRig } from '../store/rig.js';
import { COMPREHENSIVE_3D_SR } from './objects.js';
import { queueReport } from './queued-reports.js';
import { Stage, startPacs, uidsAt } from './stage.js';

const HOUR = 60 * 60_000;
const { signal } = new AbortController();

/** A port where a PACS was a moment ago. */
async function closedPort(): Promise<number> {
  await using rig = await StoreRig.open();
  const pacs = await startPacs(rig.folder);
  const { port } = pacs;
  await pacs.stop();
  return port;
}

describe('a PACS that is down for hours', () => {
  it('gets everything once and in the order of urgency when it is back', async () => {
    const port = await closedPort();
    await using stage = await Stage.open(port);
    const { rig } = stage;
    // More than one pass can claim, the quiet ones first.
    const negative: string[][] = [];
    for (let study = 1; study <= 20; study += 1) {
      negative.push(await queueReport(rig, study, 'negative'));
    }
    await stage.run(3 * HOUR);
    const failed = await queueReport(rig, 30, 'failed');
    const positive = [await queueReport(rig, 31, 'positive')];
    await stage.run(2 * HOUR);
    const notEligible = await queueReport(rig, 32, 'not-eligible');
    const undetermined = await queueReport(rig, 33, 'undetermined');
    await stage.run(HOUR);
    positive.push(await queueReport(rig, 34, 'positive'));

    expect(stage.states()).toEqual({ due: 50 });
    // The longest span is ten minutes, so six hours are no storm of attempts.
    expect(stage.passes).toBeGreaterThan(36);
    expect(stage.passes).toBeLessThan(400);

    await using pacs = await startPacs(rig.folder, { port });
    await stage.run();
    // Reports go before pictures of the same outcome, though the route names the picture first.
    const reportsFirst = (studies: readonly string[][]) =>
      [1, 0].flatMap((place) => studies.map((uids) => uids[place]));
    expect(uidsAt(pacs)).toEqual([
      ...reportsFirst(positive),
      ...reportsFirst([undetermined]),
      ...reportsFirst([failed]),
      ...reportsFirst([notEligible]),
      ...reportsFirst(negative),
    ]);
    expect(stage.states()).toEqual({ delivered: 50 });
  });

  it('is tried at once for a new report, which costs the waiting ones no attempt', async () => {
    const port = await closedPort();
    const retry = { baseMs: HOUR, capMs: HOUR, attempts: 2 };
    await using stage = await Stage.open(port, { retry });
    await queueReport(stage.rig, 1, 'negative');
    const rest = await stage.deliverer.run(signal);
    for (let study = 2; study < 8; study += 1) {
      await queueReport(stage.rig, study, 'positive');
      expect(await stage.deliverer.run(signal)).toBe(rest);
    }
    expect(stage.states()).toEqual({ due: 14 });
    await using pacs = await startPacs(stage.rig.folder, { port });
    await queueReport(stage.rig, 9, 'positive');
    await stage.run();
    expect(pacs.received).toHaveLength(16);
  });

  it('answers "out of resources" to all for hours: then what waited goes by urgency again', async () => {
    await using rig = await StoreRig.open();
    let full = true;
    await using pacs = await startPacs(rig.folder, {
      answer: () => (full ? { status: 0xa700 } : undefined),
    });
    await using stage = await Stage.open(pacs.port);
    for (let study = 1; study <= 20; study += 1) await queueReport(stage.rig, study, 'negative');
    await stage.run(4 * HOUR);
    const positive = await queueReport(stage.rig, 30, 'positive');
    await stage.run(HOUR);
    full = false;
    await stage.run();
    expect(stage.states()).toEqual({ delivered: 42 });
    expect(new Set(uidsAt(pacs)).size).toBe(42);
    expect(pacs.received).toHaveLength(42);
    expect(uidsAt(pacs).indexOf(positive[1] ?? '')).toBeLessThan(32);
  });
});

describe('objects that a PACS cannot bear', () => {
  it.each(['abort', 'drop-connection', 'no-answer'] as const)(
    'hold up no others where it meets each with %s',
    async (answer) => {
      await using rig = await StoreRig.open();
      const timers = heldTimers();
      await using pacs = await startPacs(rig.folder, {
        answer: ({ sopClassUid }) => {
          if (sopClassUid !== COMPREHENSIVE_3D_SR) return undefined;
          if (answer === 'no-answer') timers.runOut();
          return answer;
        },
      });
      await using stage = await Stage.open(pacs.port);
      // The reports are more urgent than any picture, and more than a pass bears with.
      const pictures: string[] = [];
      for (let study = 1; study <= 6; study += 1) {
        const [picture = ''] = await queueReport(stage.rig, study, 'positive');
        pictures.push(picture);
      }
      // The waits are drawn at random: only an hour without the pictures would be a hold-up.
      const end = stage.clock + HOUR;
      while (pacs.received.length < pictures.length && stage.clock < end) await stage.run(60_000);
      expect(uidsAt(pacs)).toEqual(pictures);
      expect(stage.states()).toEqual({ delivered: 6, due: 6 });
    },
    120_000,
  );

  it.each(['abort', 'drop-connection', 'no-answer'] as const)(
    'hold up none that met %s themselves once, as of a PACS that was slow for a moment',
    async (answer) => {
      await using rig = await StoreRig.open();
      const timers = heldTimers();
      const met = new Set<string>();
      await using pacs = await startPacs(rig.folder, {
        answer: ({ sopClassUid, sopInstanceUid }) => {
          const first = !met.has(sopInstanceUid);
          met.add(sopInstanceUid);
          if (sopClassUid !== COMPREHENSIVE_3D_SR && !first) return undefined;
          if (answer === 'no-answer') timers.runOut();
          return answer;
        },
      });
      await using stage = await Stage.open(pacs.port);
      const pictures: string[] = [];
      for (let study = 1; study <= 6; study += 1) {
        const [picture = ''] = await queueReport(stage.rig, study, 'positive');
        pictures.push(picture);
      }
      const end = stage.clock + 3 * HOUR;
      while (pacs.received.length < pictures.length && stage.clock < end) await stage.run(60_000);
      expect(new Set(uidsAt(pacs))).toEqual(new Set(pictures));
    },
    120_000,
  );

  it('are claimed behind what has not met the PACS yet, by a pass that suspects them', async () => {
    await using rig = await StoreRig.open();
    const outbox = new DeliveryStore(rig.catalog, rig.folder);
    const [suspect = ''] = await queueReport(rig, 1, 'positive', { kinds: ['sr'] });
    const [met] = outbox.claim('main-pacs', 1, Date.now());
    if (met === undefined) throw new Error('nothing to deliver');
    outbox.settle(met, {
      type: 'failed',
      failureClass: 'ambiguous',
      code: 'response-timeout',
      retryAt: Date.now(),
    });
    const [fresh = ''] = await queueReport(rig, 2, 'negative', { kinds: ['sr'] });
    const uids = (suspectsLast: boolean) => {
      const claimed = outbox.claim('main-pacs', 4, Date.now(), suspectsLast);
      rig.catalog.prepare("UPDATE delivery SET state = 'due'").run();
      return claimed.map(({ sopInstanceUid }) => sopInstanceUid);
    };
    expect(uids(false)).toEqual([suspect, fresh]);
    expect(uids(true)).toEqual([fresh, suspect]);
  });

  it('end as dead letters with what was wrong', async () => {
    await using rig = await StoreRig.open();
    await using pacs = await startPacs(rig.folder, { answer: () => 'abort' });
    const retry = { baseMs: 1000, capMs: HOUR, attempts: 4 };
    await using stage = await Stage.open(pacs.port, { retry });
    await queueReport(stage.rig, 1, 'positive');
    await stage.run();
    const query = 'SELECT state, attempts, failure_class AS class, failure_code AS code';
    expect(stage.rig.rows(`${query} FROM delivery`)).toEqual(
      Array.from({ length: 2 }, () => ({
        state: 'dead',
        attempts: 4,
        class: 'ambiguous',
        code: 'response-lost',
      })),
    );
  });
});

describe('a response that is lost after the object was sent', () => {
  it('leads to the same object again, under the same SOP Instance UID', async () => {
    await using rig = await StoreRig.open();
    const sent: [string, Buffer][] = [];
    await using pacs = await startPacs(rig.folder, {
      answer: ({ sopInstanceUid, bytes }) => {
        sent.push([sopInstanceUid, Buffer.from(bytes)]);
        return sent.length === 1 ? 'drop-connection' : undefined;
      },
    });
    await using stage = await Stage.open(pacs.port);
    const [uid] = await queueReport(stage.rig, 1, 'positive', { kinds: ['sr'] });
    await stage.run();
    expect(sent.map(([sopInstanceUid]) => sopInstanceUid)).toEqual([uid, uid]);
    expect(sent[0]?.[1].equals(sent[1]?.[1] ?? Buffer.alloc(0))).toBe(true);
    expect(stage.states()).toEqual({ delivered: 1 });
    const events = stage.rig.rows(
      "SELECT detail FROM event WHERE kind IN ('delivery-retried', 'delivered') ORDER BY event_id",
    ) as { detail: string }[];
    expect(events.map(({ detail }) => JSON.parse(detail))).toMatchObject([
      { code: 'response-lost', class: 'ambiguous', attempts: 1 },
      { status: 0, attempts: 2 },
    ]);
  });
});
