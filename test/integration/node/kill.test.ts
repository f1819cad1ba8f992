import { expect, it } from 'vitest';
import { crashRun } from '../../crash/crash-run.js';
import type { KillStep } from '../../crash/kill-steps.js';
import { temporaryFolder } from './node-rig.js';

/** One of each kind; `npm run test:crash` has them all, and as many kills as one likes. */
const STEPS: readonly KillStep[] = [
  'temp-write',
  'fsync',
  'before-response',
  'commit',
  'rename',
  'inference',
  'analysis-done',
  'delivery',
  'pacs-response',
];
/** Every fourth comes at a random time. */
const KILLS = 12;

it('keeps what it acknowledged and reports each study once, whenever it is killed', async () => {
  await using folder = await temporaryFolder();
  const seed = 1 + Math.floor(Math.random() * 1e6);
  const run = await crashRun({ folder: folder.path, kills: KILLS, seed, steps: STEPS });
  expect({ seed, ...run }).toMatchObject({
    seed,
    kills: KILLS,
    lost: [],
    altered: [],
    duplicates: [],
    orphans: [],
    unreported: [],
  });
  expect([...run.killedAt.keys()].sort()).toEqual([...STEPS, 'random'].sort());
  expect(run.acknowledged).toBeGreaterThan(0);
}, 300_000);
