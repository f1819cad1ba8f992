import { once } from 'node:events';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Reason } from '../../../src/domain/finding.js';
import type { StoredInstance } from '../../../src/domain/instance.js';
import { InferStage, type InferStageOptions } from '../../../src/infer/analyse.js';
import { datasetSha256 } from '../../unit/infer/phantom.js';
import { headSeriesIn } from './head-series-files.js';

const shipped = fileURLToPath(new URL('../../../models/vigil-ich-small', import.meta.url));
const POISON = pathToFileURL(join(import.meta.dirname, '../../fixtures/poison.mjs')).href;

const ENDLESS = join(import.meta.dirname, '../../fixtures/endless-htj2k.dcm');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-process-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the inference process inherits. */
const environment: { NODE_OPTIONS?: string; VIGIL_POISON?: string; VIGIL_POISON_LOG?: string } =
  process.env;

interface LogLine {
  readonly child?: number;
  readonly slices?: readonly string[];
}

const lines = new PassThrough();
const log = pino({}, lines);
let stage: InferStage | undefined;
afterEach(async () => {
  await stage?.[Symbol.asyncDispose]();
  stage = undefined;
  for (const name of ['NODE_OPTIONS', 'VIGIL_POISON', 'VIGIL_POISON_LOG']) delete process.env[name];
});

/** The next line of the log with such a message. */
async function logged(message: string): Promise<LogLine> {
  for (;;) {
    const [chunk] = (await once(lines, 'data')) as [Buffer];
    const line = chunk
      .toString()
      .split('\n')
      .find((text) => text.includes(message));
    if (line) return JSON.parse(line) as LogLine;
  }
}
const nextPid = async () => (await logged('inference process ready')).child as number;

/** What the stage says of the process, in order: what it died of, and with which series. */
class Fate {
  readonly lost: string[] = [];
  readonly blamed: string[] = [];
  readonly #ready: (() => void)[] = [];

  onLost({ code }: Reason): void {
    this.lost.push(code);
  }
  onLostWith(seriesInstanceUid: string, { code }: Reason): void {
    this.blamed.push(`${seriesInstanceUid} ${code}`);
  }
  onReady(): void {
    for (const resolve of this.#ready.splice(0)) resolve();
  }
  ready(): Promise<void> {
    return new Promise((resolve) => this.#ready.push(resolve));
  }
}

async function open(
  more: Partial<InferStageOptions> = {},
): Promise<{ stage: InferStage; fate: Fate; pid: number }> {
  const options = { packageFolder: shipped, threads: 1, log, ...more };
  const [pid, opened] = await Promise.all([nextPid(), InferStage.open(options)]);
  stage = opened;
  const fate = new Fate();
  opened.observe(fate);
  return { stage: opened, fate, pid };
}

/** As `open`, with a process that does such deeds at slices whose path holds a text. */
function openPoisoned(poison: string, more: Partial<InferStageOptions> = {}) {
  environment.NODE_OPTIONS = `--import ${POISON}`;
  environment.VIGIL_POISON = poison;
  return open(more);
}

const series = (uid: string, count?: number): Promise<StoredInstance[]> =>
  headSeriesIn(folder, uid, count);

describe('heat maps', () => {
  it('are the same where the process that classified the slices is gone', async () => {
    const { stage, fate, pid } = await open();
    const bleeding = await headSeriesIn(folder, '9.1', 12, { bleedHu: 65 });
    const { keySlices } = await stage.analyse(bleeding, []);
    expect(keySlices.length).toBeGreaterThan(0);
    const ready = fate.ready();
    process.kill(pid, 'SIGKILL');
    await ready;
    const again = await stage.analyse(bleeding, []);
    expect(again.keySlices).toEqual(keySlices);
  });
});

describe('a series that the inference process is lost with', () => {
  const deeds: readonly [string, string, number?][] = [
    ['crash', 'inference-crashed'],
    ['kill', 'inference-killed'],
    ['abort', 'inference-crashed'],
    ['exit', 'inference-crashed'],
    ['throw', 'inference-crashed'],
    ['thread-exit', 'inference-failed'],
    ['thread-throw', 'inference-failed'],
    ['loop', 'inference-hung', 5_000],
    ['model-loop', 'inference-hung', 5_000],
    ['stop', 'inference-hung', 5_000],
    ['never', 'inference-hung', 5_000],
    ['garbage', 'inference-answer-invalid'],
    ['flood', 'inference-answer-invalid'],
    ['wrong-id', 'inference-answer-invalid'],
    ['wrong-shape', 'inference-answer-invalid'],
    ['nonsense', 'inference-answer-invalid'],
    ['nan', 'model-output-invalid'],
  ];

  it.each(deeds)(
    'by %s alone is told so, and read by nobody else',
    async (deed, code, timeoutMs) => {
      const { stage, fate } = await openPoisoned(
        `bad-5.dcm=${deed}`,
        timeoutMs === undefined ? {} : { timeoutMs },
      );
      const [bad, good] = await Promise.all([series('bad'), series('good')]);
      const failed = expect(stage.analyse(bad, [])).rejects.toMatchObject({
        code,
        failureClass: 'transient',
      });
      const finding = await stage.analyse(good, []);
      await failed;
      expect(finding.slices).toHaveLength(12);
      expect(fate.lost).toEqual([code]);
      expect(fate.blamed).toEqual([`bad ${code}`]);
      expect(stage.problem).toBeUndefined();
    },
  );

  it('by a codestream that its decoder never ends with is told so, and read by nobody else', async () => {
    const { stage, fate } = await open({ timeoutMs: 5_000 });
    const [bad, good] = await Promise.all([series('endless'), series('good')]);
    // Found by the fuzzer of pixels: OpenJPH takes it up and does not come back.
    const part10 = await readFile(ENDLESS);
    const slices = bad.map((slice, i) => ({
      ...slice,
      ...(i === 5 && { file: ENDLESS, sha256: datasetSha256(part10) }),
    }));
    const failed = expect(stage.analyse(slices, [])).rejects.toMatchObject({
      code: 'inference-hung',
    });
    const finding = await stage.analyse(good, []);
    await failed;
    expect(finding.slices).toHaveLength(12);
    expect(fate.blamed).toEqual(['endless inference-hung']);
  });

  it('while it is read ahead is not read ahead again, and costs a running analysis nothing', async () => {
    const { stage, fate } = await openPoisoned('bad-5.dcm=crash');
    const [bad, good] = await Promise.all([series('bad'), series('good', 40)]);
    const again = fate.ready();
    stage.prefetch(bad);
    const finding = await stage.analyse(good, []);
    expect(finding.slices).toHaveLength(40);
    await again;
    stage.prefetch([...bad, ...(await series('bad', 30))]);
    await stage.analyse(await series('other'), []);
    expect(fate.blamed).toEqual(['bad inference-crashed']);
  });

  it('is read slice by slice the second time: the log names the one', async () => {
    const { stage } = await openPoisoned('bad-5.dcm=crash');
    const bad = await series('bad');
    const line = () => logged('was lost with slices of this series');
    const [first] = await Promise.all([line(), expect(stage.analyse(bad, [])).rejects.toThrow()]);
    expect(first.slices).toContain('bad.5');
    const [second] = await Promise.all([line(), expect(stage.analyse(bad, [])).rejects.toThrow()]);
    expect(second.slices).toEqual(['bad.5']);
  });

  it.each([
    ['more than it may have', 'hoard'],
    ['more than V8 may have', 'heap'],
  ])('because it takes %s of memory leaves the machine alone', async (_, deed) => {
    const { stage, fate } = await openPoisoned(`bad-5.dcm=${deed}`, {
      memoryBytes: 512 * 1024 ** 2,
    });
    await expect(stage.analyse(await series('bad'), [])).rejects.toMatchObject({
      code: expect.stringMatching(/^inference-(out-of-memory|crashed)$/),
    });
    expect((await stage.analyse(await series('good'), [])).slices).toHaveLength(12);
    expect(fate.blamed).toHaveLength(1);
  });
});

describe('the inference process', () => {
  it('is the first to go when memory runs out, and cannot take more than it may', async () => {
    const { pid } = await open({ memoryBytes: 1024 ** 3 });
    expect(await readFile(`/proc/${pid}/oom_score_adj`, 'utf8')).toBe('1000\n');
    const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
    expect(limits).toMatch(new RegExp(`Max data size +${1024 ** 3} +${1024 ** 3}`));
  });

  it.each(['SIGKILL', 'SIGSEGV', 'SIGSTOP'] as const)(
    'that is lost to %s before it has begun costs no series a try',
    async (signal) => {
      const { stage, fate, pid } = await open({ timeoutMs: 5_000 });
      process.kill(pid, signal);
      const finding = await stage.analyse(await series('good'), []);
      expect(finding.slices).toHaveLength(12);
      expect(fate.blamed).toEqual([]);
    },
  );

  it('keeps what it has classified over a loss', async () => {
    environment.VIGIL_POISON_LOG = join(folder, 'reads');
    await writeFile(environment.VIGIL_POISON_LOG, '');
    const { stage, fate, pid } = await openPoisoned('kept-=seen');
    const kept = await series('kept');
    stage.prefetch(kept);
    await stage.analyse(await series('good'), []);
    const again = fate.ready();
    process.kill(pid, 'SIGKILL');
    await again;
    const before = await readFile(environment.VIGIL_POISON_LOG, 'utf8');
    await stage.analyse(kept, []);
    const after = await readFile(environment.VIGIL_POISON_LOG, 'utf8');
    expect(before.length).toBeGreaterThan(0);
    // The rest of the series, and no slice twice for the CNN.
    expect(after.split('\n').length).toBeLessThanOrEqual(12 + 1);
  });

  it('ends with its owner', async () => {
    const { stage, pid } = await open();
    await stage[Symbol.asyncDispose]();
    expect(stage.problem).toBeDefined();
    expect(() => process.kill(pid, 0)).toThrow();
    await expect(stage.analyse(await series('late'), [])).rejects.toMatchObject({
      code: 'inference-unavailable',
    });
  });

  it('that is being started again ends with its owner too', async () => {
    const { stage, pid } = await open();
    process.kill(pid, 'SIGKILL');
    process.kill(await nextPid(), 'SIGKILL');
    await stage[Symbol.asyncDispose]();
    await stage[Symbol.asyncDispose]();
    expect(stage.problem).toBeDefined();
  });
});

describe('an inference process that does not start', () => {
  it.each([
    ['whose model is gone', (copy: string) => rename(copy, `${copy}-away`), 'cannot be read'],
    [
      'whose model has changed',
      (copy: string) => writeFile(join(copy, 'cnn.onnx'), 'another'),
      'cnn.onnx',
    ],
  ])('%s says so, and is back when it can be', async (name, spoil, says) => {
    const copy = join(folder, name.replaceAll(' ', '-'));
    await cp(shipped, copy, { recursive: true });
    const { stage, fate, pid } = await open({ packageFolder: copy });
    await spoil(copy);
    const failing = logged('does not start');
    process.kill(pid, 'SIGKILL');
    await failing;
    expect(stage.problem).toContain(says);
    const again = fate.ready();
    await rm(copy, { recursive: true, force: true });
    await cp(shipped, copy, { recursive: true });
    await again;
    expect(stage.problem).toBeUndefined();
    expect((await stage.analyse(await series('good'), [])).slices).toHaveLength(12);
    expect(fate.blamed).toEqual([]);
  });

  it('does not hold up the node, which starts without it', async () => {
    environment.NODE_OPTIONS = '--import file:///nowhere.mjs';
    stage = await InferStage.open({ packageFolder: shipped, threads: 1, log });
    expect(stage.problem).toContain('does not start');
    const fate = new Fate();
    stage.observe(fate);
    delete environment.NODE_OPTIONS;
    await fate.ready();
    expect((await stage.analyse(await series('good'), [])).slices).toHaveLength(12);
  });
});
