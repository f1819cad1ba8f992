import type { Target } from '../../fuzz/target.js';

const held: Buffer[] = [];

/** Breaks in every way that the fuzzer is to see, by the word that it is given. */
const BREAKS: Readonly<Record<string, () => void>> = {
  fine: () => undefined,
  throws: () => {
    throw new Error('broken');
  },
  rejects: () => {
    void Promise.reject(new Error('broken'));
  },
  exits: () => process.abort(),
  allocates: () => {
    held.push(Buffer.alloc(160 * 1024 * 1024, 1));
  },
  computes: () => {
    const begun = process.cpuUsage();
    while (process.cpuUsage(begun).user < 1_300_000);
  },
  loops: () => {
    for (;;);
  },
};

export const target: Target = {
  seeds: () => [Buffer.from('fine')],
  dictionary: [],
  generate: () => Buffer.from('fine'),
  longest: 100,
  memoryLimitMb: 200,
  run: (input) => BREAKS[input.toString()]?.(),
};
