import { describe, expect, it } from 'vitest';
import { HeaderError } from '../../../src/dicom/header.js';
import { HeaderCollector } from '../../../src/receive/header-collector.js';
import { ctElements, ctPixels, dataset } from '../dicom-header/dataset-bytes.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const LIMIT = 512 * 1024;

/** A dataset with a private element of some length early in its header. */
function sliceWith(privateBytes: number): Buffer {
  return dataset([
    ...ctElements([0x00090010, 'LO', 'TEST'], [0x00091001, 'OB', new Uint8Array(privateBytes)]),
    ctPixels,
  ]);
}

function collect(bytes: Buffer, pieceLength = 10_000): HeaderCollector {
  const collector = new HeaderCollector(EXPLICIT, LIMIT);
  for (let start = 0; start < bytes.length; start += pieceLength) {
    collector.push(bytes.subarray(start, start + pieceLength));
  }
  return collector;
}

describe('HeaderCollector', () => {
  it.each([10, 60_000, 100_000, 300_000])('reads a header of %i private bytes', (length) => {
    const { header } = collect(sliceWith(length)).end();
    expect(header).toMatchObject({ sopInstanceUid: '1.2.3.4.5', seriesInstanceUid: '1.2.3.4' });
  });

  it.each([100, 1_000_000])('reads a header that comes in pieces of %i bytes', (pieceLength) => {
    const { header } = collect(sliceWith(60_000), pieceLength).end();
    expect(header).toMatchObject({ sopInstanceUid: '1.2.3.4.5', seriesInstanceUid: '1.2.3.4' });
  });

  it('knows the header while the pixel data is still coming', () => {
    const pixels = dataset([...ctElements(), [0x7fe00010, 'OW', new Uint8Array(200_000)]]);
    expect(collect(pixels.subarray(0, 100_000)).reading?.header.rows).toBe(4);
  });

  it('gives up on UIDs that do not come within its limit', () => {
    expect(() => collect(sliceWith(1_000_000))).toThrow(HeaderError);
  });

  it('takes what came within its limit where the UIDs did', () => {
    const late = dataset([
      ...ctElements([0x00420011, 'OB', new Uint8Array(1_000_000)]).filter(
        ([tag]) => tag >>> 16 !== 0x0028,
      ),
    ]);
    expect(collect(late).end().header.sopInstanceUid).toBe('1.2.3.4.5');
  });

  it('refuses a dataset that ends within an element', () => {
    const bytes = sliceWith(10);
    const cut = bytes.subarray(0, bytes.length - 100);
    expect(() => collect(cut).end()).toThrow(HeaderError);
  });
});
