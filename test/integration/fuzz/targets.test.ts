import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Finding, fuzz } from '../../fuzz/supervisor.js';
import type { TargetName } from '../../fuzz/target.js';

const place = (path: string) => fileURLToPath(new URL(`../../fuzz/${path}`, import.meta.url));

/** Cases, besides those of the corpus. */
const SHARES: readonly (readonly [TargetName, number])[] = [
  ['pdu', 600],
  ['command', 600],
  ['dataset', 300],
  ['pixels', 100],
  ['config', 200],
  ['admin', 200],
  ['api', 200],
];

/** A share of `npm run fuzz` with a fixed seed; nothing that its corpus once brought about comes back. */
describe.skipIf(process.platform !== 'linux')('hostile input', { timeout: 300_000 }, () => {
  it.each(SHARES)('to %s, %i cases, neither ends it nor holds it up', async (target, cases) => {
    const folder = mkdtempSync(join(tmpdir(), 'vigil-fuzz-share-'));
    const findings: Finding[] = [];
    try {
      const result = await fuzz({
        module: place(`targets/${target}.ts`),
        cases,
        seed: 20_261_125,
        corpus: [place(`corpus/${target}`)],
        folder,
        onFinding: (finding) => findings.push(finding),
      });
      expect(findings).toEqual([]);
      // Memory beyond the target's limit counts as a crash.
      expect(result).toMatchObject({ cases, crashes: 0, hangs: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
