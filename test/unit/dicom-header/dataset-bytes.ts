/** Elements as they are written in a test: tag, VR, value; a sequence has items. */
export type TestElement =
  | readonly [tag: number, vr: string, value: string | number | readonly number[] | Uint8Array]
  | readonly [tag: number, vr: 'SQ', items: readonly (readonly TestElement[])[]];

export interface TestEncoding {
  readonly explicitVr?: boolean;
  readonly littleEndian?: boolean;
  readonly undefinedLengths?: boolean;
}

const LONG = new Set(['OB', 'OV', 'OW', 'SQ', 'UN', 'UT', 'UC', 'UV', 'SV']);

/** Encodes a dataset as PS3.5 7.1 says. */
export function dataset(elements: readonly TestElement[], encoding: TestEncoding = {}): Buffer {
  return Buffer.concat(elements.map((element) => encodeElement(element, encoding)));
}

function encodeElement([tag, vr, value]: TestElement, encoding: TestEncoding): Buffer {
  const { undefinedLengths = false } = encoding;
  if (vr !== 'SQ') {
    const bytes = encodeValue(vr, value as string, encoding);
    return Buffer.concat([header(tag, vr, bytes.length, encoding), bytes]);
  }
  const items = (value as readonly (readonly TestElement[])[]).map((item) => {
    const bytes = dataset(item, encoding);
    return undefinedLengths
      ? [header(0xfffee000, '', 0xffffffff, encoding), bytes, header(0xfffee00d, '', 0, encoding)]
      : [header(0xfffee000, '', bytes.length, encoding), bytes];
  });
  const content = Buffer.concat(items.flat());
  return undefinedLengths
    ? Buffer.concat([
        header(tag, vr, 0xffffffff, encoding),
        content,
        header(0xfffee0dd, '', 0, encoding),
      ])
    : Buffer.concat([header(tag, vr, content.length, encoding), content]);
}

function encodeValue(
  vr: string,
  value: string | number | readonly number[] | Uint8Array,
  { littleEndian = true }: TestEncoding,
): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'utf8');
    if (bytes.length % 2 === 0) return bytes;
    return Buffer.concat([bytes, Buffer.from(vr === 'UI' ? '\0' : ' ')]);
  }
  const numbers = typeof value === 'number' ? [value] : value;
  const bytes = Buffer.alloc(2 * numbers.length);
  numbers.forEach((number, i) => {
    if (littleEndian) bytes.writeUInt16LE(number & 0xffff, 2 * i);
    else bytes.writeUInt16BE(number & 0xffff, 2 * i);
  });
  return bytes;
}

/** The header of an element, or of an item or delimiter where there is no VR. */
export function header(
  tag: number,
  vr: string,
  length: number,
  { explicitVr = true, littleEndian = true }: TestEncoding = {},
): Buffer {
  const withVr = explicitVr && vr !== '';
  const bytes = Buffer.alloc(withVr && LONG.has(vr) ? 12 : 8);
  const uint16 = (value: number, at: number) =>
    littleEndian ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at);
  const uint32 = (value: number, at: number) =>
    littleEndian ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at);
  uint16(tag >>> 16, 0);
  uint16(tag & 0xffff, 2);
  if (!withVr) {
    uint32(length, 4);
    return bytes;
  }
  bytes.write(vr, 4, 'latin1');
  if (LONG.has(vr)) uint32(length, 8);
  else uint16(length, 6);
  return bytes;
}

/** The elements of a small CT slice before its pixel data; later ones of the same tag take the place of earlier ones. */
export function ctElements(...changes: TestElement[]): TestElement[] {
  const elements: TestElement[] = [
    [0x00080005, 'CS', 'ISO_IR 100'],
    [0x00080008, 'CS', 'ORIGINAL\\PRIMARY\\AXIAL'],
    [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'],
    [0x00080018, 'UI', '1.2.3.4.5'],
    [0x00080022, 'DA', '20240229'],
    [0x00080032, 'TM', '101112.5'],
    [0x00080060, 'CS', 'CT'],
    [0x00100010, 'PN', 'Doe^Jane'],
    [0x00100020, 'LO', 'P-17'],
    [0x00180050, 'DS', '5.0'],
    [0x0020000d, 'UI', '1.2.3'],
    [0x0020000e, 'UI', '1.2.3.4'],
    [0x00200013, 'IS', '7'],
    [0x00200032, 'DS', '-125\\-120.5\\33.25'],
    [0x00200037, 'DS', '1\\0\\0\\0\\1\\0'],
    [0x00280002, 'US', 1],
    [0x00280004, 'CS', 'MONOCHROME2'],
    [0x00280010, 'US', 4],
    [0x00280011, 'US', 4],
    [0x00280030, 'DS', '0.5\\0.5'],
    [0x00280100, 'US', 16],
    [0x00280101, 'US', 12],
    [0x00280102, 'US', 11],
    [0x00280103, 'US', 1],
    [0x00280120, 'SS', -2000],
    [0x00281052, 'DS', '-1024'],
    [0x00281053, 'DS', '1'],
  ];
  const changed = new Set(changes.map(([tag]) => tag));
  return [...elements.filter(([tag]) => !changed.has(tag)), ...changes].sort((a, b) => a[0] - b[0]);
}

export const ctPixels: TestElement = [0x7fe00010, 'OW', new Uint8Array(32)];
