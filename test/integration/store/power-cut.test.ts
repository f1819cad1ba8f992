import { expect, it } from 'vitest';
import { powerCutRun } from '../../crash/power-cut/power-cut-run.js';
import { requireTools } from '../../interop/tools.js';
import { temporaryFolder } from '../node/node-rig.js';

const CUTS = 40;

it.runIf(requireTools('strace'))(
  'keeps what it acknowledged, whenever the power is cut',
  async () => {
    await using folder = await temporaryFolder();
    const seed = 1 + Math.floor(Math.random() * 1e6);
    const run = await powerCutRun(folder.path, CUTS, seed);
    expect({ seed, ...run }).toMatchObject({ seed, cuts: CUTS, acknowledged: 26, faults: [] });
  },
  300_000,
);
