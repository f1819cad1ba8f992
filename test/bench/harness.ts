import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** What was measured of one contestant in one run, by the name of the figure. */
export type Figures = Readonly<Record<string, number>>;

/** Contestants by name; `vigil` is ours, every other one a peer. Each call is one run from a clean start. */
export type Contestants = Readonly<Record<'vigil', () => Promise<Figures>>> &
  Readonly<Record<string, () => Promise<Figures>>>;

/** How a figure reads, and whether more of it is better. */
export interface Unit {
  readonly figure: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
}

/** Medians of one figure over the runs; a ratio above 1 says how many times better Vigil is. */
export interface BenchCase {
  readonly name: string;
  readonly unit: string;
  readonly vigil: number;
  readonly peers: Readonly<Record<string, number>>;
  readonly ratio: Readonly<Record<string, number>>;
  readonly runs: number;
}

export interface BenchReport {
  readonly bench: string;
  readonly machine: string;
  readonly cases: readonly BenchCase[];
}

/**
 * Runs the contestants by turns, in another order each time, so that what slows the machine for a while slows them all,
 * and gives the median of each figure.
 */
export async function compare(
  name: string,
  contestants: Contestants,
  units: readonly Unit[],
  runs: number,
): Promise<BenchCase[]> {
  const seen = new Map<string, Figures[]>(Object.keys(contestants).map((who) => [who, []]));
  const names = Object.keys(contestants);
  for (let run = 0; run < runs; run += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const who = names[(turn + run) % names.length] as string;
      const figures = await contestants[who]?.();
      if (figures) seen.get(who)?.push(figures);
      const shown = Object.entries(figures ?? {}).map(([key, value]) => `${key} ${rounded(value)}`);
      console.error(`${name}: run ${run + 1} of ${runs}, ${who}: ${shown.join(', ')}`);
    }
  }
  return units.flatMap(({ figure, unit, better }) => {
    const of = (who: string) =>
      median((seen.get(who) ?? []).flatMap((figures) => figures[figure] ?? []));
    const vigil = of('vigil');
    if (vigil === undefined) return [];
    const measured = names.flatMap((who) => {
      const value = who === 'vigil' ? undefined : of(who);
      return value === undefined ? [] : [[who, value] as const];
    });
    return [
      {
        name,
        unit,
        vigil: rounded(vigil),
        peers: Object.fromEntries(measured.map(([who, value]) => [who, rounded(value)])),
        ratio: Object.fromEntries(
          measured.map(([who, value]) => [
            who,
            rounded(better === 'higher' ? vigil / value : value / vigil),
          ]),
        ),
        runs,
      },
    ];
  });
}

export function median(values: readonly number[]): number | undefined {
  return quantile(values, 0.5);
}

/** The value that a share of the values does not exceed; between two of them in proportion. */
export function quantile(values: readonly number[], share: number): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return low + (high - low) * (at - Math.floor(at));
}

/** Three figures are as many as these measurements carry. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** Processor, cores, memory, Node and the file system that the benchmark's folder is on. */
export function machine(folder: string): string {
  const [processor] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  const fileSystem = execFileSync('stat', ['-f', '-c', '%T', folder], { encoding: 'utf8' }).trim();
  const block = statSync(folder).blksize;
  return `${processor?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${gib} GiB, Node ${process.version}, ${fileSystem} (${block} B blocks)`;
}

export function table({ cases }: BenchReport): string {
  const rows = cases.map(({ name, unit, vigil, peers, ratio }) => [
    name,
    unit,
    `${vigil}`,
    Object.entries(peers)
      .map(([who, value]) => `${who} ${value} (x ${ratio[who]})`)
      .join(', '),
  ]);
  const widths = [0, 1, 2].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0), 5),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    line(['case', 'unit', 'vigil', 'peers (how many times better Vigil is)']),
    ...rows.map(line),
  ].join('\n');
}
