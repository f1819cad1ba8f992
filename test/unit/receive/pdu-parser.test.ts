import { describe, expect, it } from 'vitest';
import { AbortReason, PduError } from '../../../src/receive/pdu.js';
import { PduParser } from '../../../src/receive/pdu-parser.js';
import { associateRqBody, pdu, pdv, random, split } from './pdu-bytes.js';

const LIMITS = { maximumLength: 4096, maximumAssociateLength: 8192 };

/** What the parser told, with the parts of each value joined. */
class Recorder {
  readonly told: string[] = [];
  #value = Buffer.alloc(0);

  dataStarted(): void {
    this.told.push('data');
  }

  pdu(type: number, body: Buffer): void {
    this.told.push(`pdu ${type} ${body.toString('hex')}`);
  }

  data(contextId: number, isCommand: boolean, isLast: boolean, bytes: Buffer): void {
    this.#value = Buffer.concat([this.#value, bytes]);
    if (!isLast) return;
    this.told.push(`value ${contextId} ${isCommand} ${this.#value.toString('hex')}`);
    this.#value = Buffer.alloc(0);
  }
}

const value = (length: number, fill: number) => Buffer.alloc(length, fill);
const stream = Buffer.concat([
  pdu(1, associateRqBody()),
  pdu(4, pdv(1, { command: true, last: true }, value(90, 1))),
  pdu(
    4,
    Buffer.concat([
      pdv(3, { command: true, last: false }, value(5, 2)),
      pdv(3, { command: true, last: true }, value(4, 3)),
      pdv(3, { command: false, last: false }, value(700, 4)),
      pdv(3, { command: false, last: false }, value(0, 0)),
    ]),
  ),
  pdu(4, pdv(3, { command: false, last: true }, value(1000, 5))),
  pdu(4, pdv(5, { command: false, last: true }, value(0, 0))),
  pdu(5, Buffer.alloc(4)),
  pdu(7, Buffer.from([0, 0, 2, 1])),
]);

function parse(pieces: readonly Buffer[]): string[] {
  const recorder = new Recorder();
  const parser = new PduParser(LIMITS, recorder);
  for (const piece of pieces) parser.push(piece);
  return recorder.told;
}

describe('PduParser', () => {
  const whole = parse([stream]);

  it('finds every PDU and value', () => {
    expect(whole.map((line) => line.split(' ').slice(0, 3).join(' ').slice(0, 13))).toEqual([
      expect.stringMatching(/^pdu 1 0001/),
      'data',
      'value 1 true',
      'data',
      'value 3 true',
      'data',
      'value 3 false',
      'data',
      'value 5 false',
      'pdu 5 0000000',
      'pdu 7 0000020',
    ]);
    expect(whole).toContain(`value 3 true ${'02'.repeat(5)}${'03'.repeat(4)}`);
    expect(whole).toContain(`value 3 false ${'04'.repeat(700)}${'05'.repeat(1000)}`);
  });

  it('finds the same byte by byte', () => {
    expect(parse(Array.from(stream, (byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it.each(Array.from({ length: 50 }, (_, i) => i + 1))(
    'finds the same split by seed %i',
    (seed) => {
      const next = random(seed);
      expect(parse(split(stream, next, 1 + Math.floor(next() * 300)))).toEqual(whole);
    },
  );

  it.each([1, 2, 3, 4, 5])('finds the same when held after every %i parts', (every) => {
    const recorder = new Recorder();
    let parts = 0;
    const holdSometimes = () => {
      parts += 1;
      if (parts % every === 0) parser.hold();
    };
    const parser = new PduParser(LIMITS, {
      dataStarted: () => recorder.dataStarted(),
      pdu: (type, body) => {
        recorder.pdu(type, body);
        holdSometimes();
      },
      data: (...data) => {
        recorder.data(...data);
        holdSometimes();
      },
    });
    for (const piece of split(stream, random(every), 200)) parser.push(piece);
    while (parser.held) parser.resume();
    expect(recorder.told).toEqual(whole);
  });

  it('tells nothing while it is held', () => {
    const recorder = new Recorder();
    const parser = new PduParser(LIMITS, recorder);
    parser.hold();
    parser.push(stream.subarray(0, 300));
    expect(recorder.told).toEqual([]);
  });

  const hostile: [string, Buffer, number][] = [
    ['an unknown PDU type', pdu(0x47, Buffer.from('T / HTTP/1.1')), AbortReason.UnrecognizedPdu],
    ['PDU type 0', pdu(0, Buffer.alloc(4)), AbortReason.UnrecognizedPdu],
    [
      'a P-DATA-TF of 4 GiB',
      pdu(4, Buffer.alloc(0), 0xffffffff),
      AbortReason.InvalidPduParameterValue,
    ],
    [
      'a P-DATA-TF over the maximum',
      pdu(4, Buffer.alloc(0), 4097),
      AbortReason.InvalidPduParameterValue,
    ],
    ['a P-DATA-TF with no value', pdu(4, Buffer.alloc(0)), AbortReason.InvalidPduParameterValue],
    [
      'an A-ASSOCIATE-RQ over the maximum',
      pdu(1, Buffer.alloc(0), 8193),
      AbortReason.InvalidPduParameterValue,
    ],
    ['a long A-RELEASE-RQ', pdu(5, Buffer.alloc(0), 5), AbortReason.InvalidPduParameterValue],
    ['a long A-ABORT', pdu(7, Buffer.alloc(0), 4096), AbortReason.InvalidPduParameterValue],
    ['a short A-ABORT', pdu(7, Buffer.alloc(0), 0), AbortReason.InvalidPduParameterValue],
    [
      'a value longer than its PDU',
      pdu(4, Buffer.concat([Buffer.from([0, 0, 1, 0, 1, 0]), Buffer.alloc(20)])),
      AbortReason.InvalidPduParameterValue,
    ],
    [
      'a value shorter than its header',
      pdu(4, Buffer.from([0, 0, 0, 1, 1, 0])),
      AbortReason.InvalidPduParameterValue,
    ],
    [
      'bytes after the last value',
      pdu(4, Buffer.concat([pdv(1, { command: true, last: true }, value(8, 0)), Buffer.alloc(3)])),
      AbortReason.InvalidPduParameterValue,
    ],
  ];

  it.each(hostile)('refuses %s as soon as it shows', (_, bytes, reason) => {
    const parser = new PduParser(LIMITS, new Recorder());
    let error: unknown;
    try {
      parser.push(bytes);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PduError);
    expect((error as PduError).reason).toBe(reason);
  });
});
