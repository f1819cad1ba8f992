import { once } from 'node:events';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import {
  type ClaimedDelivery,
  Deliverer,
  type Destination,
  type Outbox,
} from '../../../src/deliver/deliver.js';
import { sendObjects } from '../../../src/deliver/store-scu.js';
import type { DeliverySettlement } from '../../../src/domain/delivery-state.js';
import { WorkerLoop } from '../../../src/jobs/worker-loop.js';
import { type PacsOptions, SimulatedPacs } from '../../../src/simulate/pacs.js';
import { COMPREHENSIVE_3D_SR, temporaryFolder, writeObject } from './objects.js';

const log = pino({ level: 'silent' });

interface Row extends ClaimedDelivery {
  readonly dueAt: number;
}

/** The catalog's part in the stage: due rows, and what was settled. Its own store is tested with SQLite. */
class MemoryOutbox implements Outbox<ClaimedDelivery> {
  due: Row[] = [];
  readonly settled: [string, DeliverySettlement][] = [];
  onSettled: () => void = () => {};
  full = false;

  add(
    object: Omit<ClaimedDelivery, 'attempts' | 'looks' | 'hasFallback'>,
    hasFallback = false,
  ): void {
    this.due.push({ ...object, attempts: 0, looks: 0, hasFallback, dueAt: 0 });
  }

  claim(_destination: string, limit: number, now: number): ClaimedDelivery[] {
    const claimed = this.due.filter((row) => row.dueAt <= now).slice(0, limit);
    this.due = this.due.filter((row) => !claimed.includes(row));
    return claimed.map((row) => ({ ...row, attempts: row.attempts + 1 }));
  }

  settle(delivery: ClaimedDelivery, settlement: DeliverySettlement): void {
    if (this.full) throw new Error('database or disk is full');
    this.settled.push([delivery.sopInstanceUid, settlement]);
    if (settlement.type === 'failed' && settlement.retryAt !== undefined) {
      this.due.push({ ...delivery, dueAt: settlement.retryAt });
    }
    this.onSettled();
  }

  hasten(_destination: string, now: number): void {
    this.due = this.due.map((row) => ({ ...row, dueAt: Math.min(row.dueAt, now) }));
  }

  nextDueAt(): number | undefined {
    return this.due.length === 0 ? undefined : Math.min(...this.due.map((row) => row.dueAt));
  }
}

async function startPacs(
  folder: string,
  options: Partial<PacsOptions> = {},
): Promise<SimulatedPacs> {
  const pacs = new SimulatedPacs({ folder: join(folder, 'pacs'), ...options });
  await pacs.start();
  return pacs;
}

function destinationAt(port: number): Destination {
  return {
    name: 'main-pacs',
    aeTitle: 'PACS',
    callingAeTitle: 'VIGIL',
    host: '127.0.0.1',
    port,
    retry: { baseMs: 40, capMs: 200, attempts: 5 },
  };
}

describe('Deliverer', () => {
  it('delivers what is due, in order, and then waits for a notification', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path, { answer: () => ({ status: 0xb006 }) });
    const outbox = new MemoryOutbox();
    const delivered: string[] = [];
    const deliverer = new Deliverer({
      send: sendObjects,
      destination: () => destinationAt(pacs.port),
      outbox,
      onSettled: (delivery, result) => {
        if (result === 'delivered') delivered.push(delivery.sopInstanceUid);
      },
      log,
    });
    for (const i of [1, 2, 3]) outbox.add(await writeObject(folder.path, i));
    const { signal } = new AbortController();
    expect(await deliverer.run(signal)).toBe(0);
    expect(await deliverer.run(signal)).toBeUndefined();
    expect(delivered).toEqual(['2.25.4711.1', '2.25.4711.2', '2.25.4711.3']);
    expect(outbox.settled.map(([, settlement]) => settlement)).toEqual(
      Array.from({ length: 3 }, () => ({ type: 'delivered', status: 0xb006 })),
    );
  });

  it('leaves a refused object with a fallback to it, and gives up one without', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path, { refusedSopClasses: [COMPREHENSIVE_3D_SR] });
    const outbox = new MemoryOutbox();
    const deliverer = new Deliverer({
      destination: () => destinationAt(pacs.port),
      outbox,
      send: sendObjects,
      log,
    });
    const sopClassUid = COMPREHENSIVE_3D_SR;
    outbox.add(await writeObject(folder.path, 1, { sopClassUid }), true);
    outbox.add(await writeObject(folder.path, 2, { sopClassUid }));
    await deliverer.run(new AbortController().signal);
    expect(outbox.settled).toMatchObject([
      ['2.25.4711.1', { type: 'refused-with-fallback', code: 'sop-class-not-accepted' }],
      ['2.25.4711.2', { type: 'failed', failureClass: 'permanent' }],
    ]);
    expect(outbox.due).toEqual([]);
  });

  it('retries through a PACS that is down, then full, then well, with the same object', async () => {
    await using folder = await temporaryFolder();
    const outbox = new MemoryOutbox();
    outbox.add(await writeObject(folder.path, 1));
    const down = await startPacs(folder.path);
    const { port } = down;
    await down.stop();
    const deliverer = new Deliverer({
      destination: () => destinationAt(port),
      outbox,
      send: sendObjects,
      log,
    });
    await using loop = new WorkerLoop({ name: 'deliver', run: (s) => deliverer.run(s), log });
    const settled = (): Promise<void> =>
      new Promise((resolve) => {
        outbox.onSettled = resolve;
      });
    const refused = settled();
    loop.start();
    await refused;
    let answers = 0;
    await using pacs = await startPacs(folder.path, {
      port,
      answer: () => (answers++ === 0 ? { status: 0xa700 } : undefined),
    });
    await once(pacs, 'received');
    await settled();
    expect(outbox.settled[0]?.[1]).toMatchObject({ code: 'connection-refused' });
    expect(outbox.settled.at(-2)?.[1]).toMatchObject({ code: 'out-of-resources', status: 0xa700 });
    expect(outbox.settled.at(-1)?.[1]).toMatchObject({ type: 'delivered', status: 0 });
    expect(pacs.received).toHaveLength(1);
  });

  it('leaves a destination that takes nothing alone instead of trying the next deliveries', async () => {
    await using folder = await temporaryFolder();
    const pacs = await startPacs(folder.path);
    const { port } = pacs;
    await pacs.stop();
    const outbox = new MemoryOutbox();
    for (let i = 0; i < 40; i += 1) outbox.add(await writeObject(folder.path, i, { size: 10 }));
    const retry = { baseMs: 3_600_000, capMs: 3_600_000, attempts: 5 };
    const destination = (): Destination => ({ ...destinationAt(port), retry });
    const deliverer = new Deliverer({ destination, outbox, send: sendObjects, log });
    const wait = await deliverer.run(new AbortController().signal);
    expect(wait).toBeGreaterThanOrEqual(0);
    expect(outbox.settled).toHaveLength(32);
    const times = outbox.settled.map(([, s]) => (s.type === 'failed' ? s.retryAt : undefined));
    expect(Math.max(...times.map(Number)) - Math.min(...times.map(Number))).toBeLessThan(5000);
  });

  it('keeps results that the catalog cannot take and settles them in the next pass', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    const outbox = new MemoryOutbox();
    outbox.add(await writeObject(folder.path, 1));
    outbox.full = true;
    const deliverer = new Deliverer({
      destination: () => destinationAt(pacs.port),
      outbox,
      send: sendObjects,
      log,
    });
    const { signal } = new AbortController();
    await expect(deliverer.run(signal)).rejects.toThrow('full');
    await expect(deliverer.run(signal)).rejects.toThrow('full');
    outbox.full = false;
    await deliverer.run(signal);
    expect(outbox.settled).toEqual([['2.25.4711.1', { type: 'delivered', status: 0 }]]);
    expect(pacs.received).toHaveLength(1);
  });

  it('gives back at once what a stop cut off', async () => {
    await using folder = await temporaryFolder();
    const controller = new AbortController();
    await using pacs = await startPacs(folder.path, {
      answer: () => {
        controller.abort();
        return 'no-answer';
      },
    });
    const outbox = new MemoryOutbox();
    for (const i of [1, 2]) outbox.add(await writeObject(folder.path, i));
    const deliverer = new Deliverer({
      destination: () => destinationAt(pacs.port),
      outbox,
      send: sendObjects,
      log,
    });
    await deliverer.run(controller.signal);
    expect(outbox.settled).toMatchObject([
      ['2.25.4711.1', { failureClass: 'ambiguous', code: 'response-lost' }],
      ['2.25.4711.2', { failureClass: 'transient', code: 'cancelled' }],
    ]);
    expect(outbox.due.at(-1)?.dueAt).toBeLessThanOrEqual(Date.now());
  });
});
