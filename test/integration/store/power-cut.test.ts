import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { powerCutRun } from '../../crash/power-cut/power-cut-run.js';
import { temporaryFolder } from '../node/node-rig.js';

const CUTS = 40;

it('keeps what it acknowledged, whenever the power is cut', async () => {
  const { error } = spawnSync('strace', ['--version']);
  expect(error, 'strace is missing: it records the system calls').toBeUndefined();
  await using folder = await temporaryFolder();
  const seed = 1 + Math.floor(Math.random() * 1e6);
  const run = await powerCutRun(folder.path, CUTS, seed);
  expect({ seed, ...run }).toMatchObject({ seed, cuts: CUTS, acknowledged: 26, faults: [] });
}, 300_000);
