import { describe, expect, it } from 'vitest';
import { encodeFileMeta, readFileMeta } from '../../../src/dicom/file-meta.js';

const INSTANCE = {
  sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
  sopInstanceUid: '2.25.1234',
  transferSyntaxUid: '1.2.840.10008.1.2.1',
};

describe('file meta information', () => {
  it('reads what it writes, and where the dataset begins', () => {
    const meta = encodeFileMeta(INSTANCE);
    const file = Buffer.concat([meta, Buffer.from([8, 0, 24, 0])]);
    expect(readFileMeta(file)).toEqual({ ...INSTANCE, datasetOffset: meta.length });
  });

  it('states the length of the group that follows (PS3.10 7.1)', () => {
    const meta = encodeFileMeta(INSTANCE);
    expect(meta.readUInt32LE(140)).toBe(meta.length - 144);
    expect(meta.length % 2).toBe(0);
  });

  it('finds the end of the group where its length is stated wrong', () => {
    const meta = encodeFileMeta(INSTANCE);
    meta.writeUInt32LE(7, 140);
    expect(readFileMeta(Buffer.concat([meta, Buffer.from([8, 0])]))?.datasetOffset).toBe(
      meta.length,
    );
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no prefix', Buffer.alloc(200)],
    ['an end within the group', encodeFileMeta(INSTANCE).subarray(0, 200)],
  ])('is not there with %s', (_, bytes) => {
    expect(readFileMeta(bytes)).toBeUndefined();
  });
});
