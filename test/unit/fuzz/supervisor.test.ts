import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Finding, fuzz } from '../../fuzz/supervisor.js';

const BROKEN = fileURLToPath(new URL('./broken-target.ts', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vigil-fuzz-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What the fuzzer says of inputs, each of which breaks the target in its own way. */
async function replay(...inputs: readonly string[]) {
  const files = inputs.map((input, i) => {
    const file = join(folder, `input-${i}`);
    writeFileSync(file, input);
    return file;
  });
  const findings: Finding[] = [];
  const onFinding = (finding: Finding) => findings.push(finding);
  const options = { module: BROKEN, cases: 0, seed: 1, corpus: [], folder };
  const result = await fuzz({ ...options, replay: files, onFinding });
  return { result, findings };
}

describe('the fuzzer', { timeout: 60_000 }, () => {
  it.each([
    ['an error', 'throws', 'crash'],
    ['a rejected promise that nobody waits for', 'rejects', 'crash'],
    ['the end of the process', 'exits', 'crash'],
    ['memory beyond the limit', 'allocates', 'memory'],
    ['much CPU time', 'computes', 'hang'],
    ['a loop without end', 'loops', 'hang'],
  ])('sees %s, keeps its input and goes on', async (_, input, kind) => {
    const { result, findings } = await replay('fine', input, 'fine');
    expect(findings).toMatchObject([{ kind }]);
    expect(readFileSync(findings[0]?.file ?? '', 'utf8')).toBe(input);
    expect(result).toMatchObject({
      cases: 3,
      crashes: kind === 'hang' ? 0 : 1,
      hangs: kind === 'hang' ? 1 : 0,
    });
  });

  it('finds nothing where nothing is wrong', async () => {
    const { result, findings } = await replay('fine', 'fine');
    expect(findings).toEqual([]);
    expect(result).toMatchObject({ cases: 2, crashes: 0, hangs: 0 });
    expect(result.maxRssMb).toBeGreaterThan(10);
  });

  it('goes on where it was stopped, with the counts until then', async () => {
    const options = { module: BROKEN, seed: 1, corpus: [], folder };
    await fuzz({ ...options, cases: 300 });
    const progress: number[] = [];
    const onProgress = (done: number) => progress.push(done);
    const result = await fuzz({ ...options, cases: 600, resume: true, onProgress });
    expect(progress[0]).toBe(300);
    expect(result).toMatchObject({ cases: 600, crashes: 0, hangs: 0 });
  });
});
