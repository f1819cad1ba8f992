import { random } from '../unit/receive/pdu-bytes.js';

/** Numbers for one case, the same for the same seed and case. */
export class Random {
  readonly #next: () => number;

  constructor(seed: number, index: number) {
    this.#next = random(
      (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index, 0xc2b2ae35)) >>> 0,
    );
    this.#next();
  }

  /** A whole number from 0, less than `limit`. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  /** @throws RangeError of none */
  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.below(choices.length)];
    if (chosen === undefined) throw new RangeError('There is nothing to pick from');
    return chosen;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

const EXTREMES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000];
const EXTREMES_32 = [...EXTREMES, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

type Mutation = (input: Buffer, random: Random, context: Context) => Buffer;

interface Context {
  readonly others: readonly Buffer[];
  readonly dictionary: readonly Buffer[];
  readonly longest: number;
}

const flipBit: Mutation = (input, random) => {
  const at = random.below(input.length);
  input[at] = (input[at] ?? 0) ^ (1 << random.below(8));
  return input;
};

const setByte: Mutation = (input, random) => {
  input[random.below(input.length)] = random.below(256);
  return input;
};

const setNumber: Mutation = (input, random) => {
  const wide = random.chance(0.5);
  if (input.length < 4) return input;
  const at = random.below(input.length - 3);
  const change = random.below(33) - 16;
  const little = random.chance(0.5);
  if (wide) {
    const old = little ? input.readUInt32LE(at) : input.readUInt32BE(at);
    const value = (random.chance(0.5) ? random.pick(EXTREMES_32) : old + change) >>> 0;
    if (little) input.writeUInt32LE(value, at);
    else input.writeUInt32BE(value, at);
  } else {
    const old = little ? input.readUInt16LE(at) : input.readUInt16BE(at);
    const value = (random.chance(0.5) ? random.pick(EXTREMES) : old + change) & 0xffff;
    if (little) input.writeUInt16LE(value, at);
    else input.writeUInt16BE(value, at);
  }
  return input;
};

function range(input: Buffer, random: Random): [from: number, to: number] {
  const from = random.below(input.length);
  const longest = random.chance(0.8) ? 32 : input.length;
  return [from, Math.min(input.length, from + 1 + random.below(longest))];
}

function replaced(input: Buffer, from: number, to: number, by: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, from), by, input.subarray(to)]);
}

const remove: Mutation = (input, random) => {
  const [from, to] = range(input, random);
  return replaced(input, from, to, Buffer.alloc(0));
};

const cutOff: Mutation = (input, random) => input.subarray(0, random.below(input.length + 1));

const insertRandom: Mutation = (input, random) => {
  const at = random.below(input.length + 1);
  return replaced(input, at, at, random.bytes(1 + random.below(16)));
};

const insertWord: Mutation = (input, random, { dictionary }) => {
  if (dictionary.length === 0) return input;
  const word = random.pick(dictionary);
  const at = random.below(input.length + 1);
  return replaced(
    input,
    at,
    random.chance(0.5) ? at : Math.min(input.length, at + word.length),
    word,
  );
};

const copyRange: Mutation = (input, random) => {
  const [from, to] = range(input, random);
  const at = random.below(input.length + 1);
  return replaced(input, at, at, input.subarray(from, to));
};

const splice: Mutation = (input, random, { others }) => {
  const other = random.pick(others);
  if (other.length === 0) return input;
  const [from, to] = range(other, random);
  const at = random.below(input.length + 1);
  return random.chance(0.5)
    ? Buffer.concat([input.subarray(0, at), other.subarray(from)])
    : replaced(input, at, at, other.subarray(from, to));
};

/** Where work grows with the square of the input, only a long input shows it. */
const repeat: Mutation = (input, random, { longest }) => {
  const [from, to] = range(input, random);
  const room = longest - input.length;
  const most = Math.floor(room / (to - from));
  if (most < 1) return input;
  const times = random.chance(0.9) ? Math.min(most, 1 + random.below(64)) : most;
  const part = input.subarray(from, to);
  return replaced(input, to, to, Buffer.concat(Array.from({ length: times }, () => part)));
};

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setNumber,
  setNumber,
  setNumber,
  remove,
  cutOff,
  insertRandom,
  insertWord,
  insertWord,
  copyRange,
  splice,
];
const REPEAT = 0.02;

/** A copy of one of the inputs, changed in one to eight places. */
export function mutated(inputs: readonly Buffer[], random: Random, context: Context): Buffer {
  // Later inputs reached code that no earlier one did.
  const recent = random.chance(0.3) ? inputs.slice(-16) : inputs;
  let input: Buffer = Buffer.from(random.pick(recent));
  for (let change = 1 + random.below(random.chance(0.7) ? 3 : 8); change > 0; change -= 1) {
    if (input.length === 0) return input;
    const mutation = random.chance(REPEAT) ? repeat : random.pick(MUTATIONS);
    input = mutation(input, random, context);
  }
  return input.subarray(0, context.longest);
}
