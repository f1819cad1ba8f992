export interface CodestreamSize {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
}

/**
 * The size that a JPEG or JPEG-LS codestream itself claims, from its frame header (ISO/IEC 10918-1 B.2.2,
 * ISO/IEC 14495-1 C.2.2); undefined where there is none.
 */
export function jpegSize(bytes: Uint8Array): CodestreamSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  while (at + 10 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (isStartOfFrame(marker)) {
      return {
        rows: view.getUint16(at + 5),
        columns: view.getUint16(at + 7),
        components: view.getUint8(at + 9),
      };
    }
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/** SOF0..SOF15 without DHT, JPG and DAC, which share the range; and SOF55 of JPEG-LS. */
function isStartOfFrame(marker: number): boolean {
  return (
    (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) || marker === 0xf7
  );
}

/** The size in the SIZ marker segment of a JPEG 2000 codestream (ISO/IEC 15444-1 A.5.1). */
export function jpeg2000Size(bytes: Uint8Array): CodestreamSize | undefined {
  if (bytes.length < 42) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0xff4fff51) return undefined;
  return {
    columns: view.getUint32(8) - view.getUint32(16),
    rows: view.getUint32(12) - view.getUint32(20),
    components: view.getUint16(40),
  };
}

/**
 * Drops what stands before the codestream's start, such as the boxes of a JP2 file, which DICOM does not allow
 * (PS3.5 A.4.4) but some writers leave in.
 */
export function jpeg2000Codestream(bytes: Uint8Array): Uint8Array {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 512)).indexOf(
    Buffer.from([0xff, 0x4f, 0xff, 0x51]),
  );
  return at > 0 ? bytes.subarray(at) : bytes;
}
