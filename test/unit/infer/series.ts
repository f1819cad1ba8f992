import type { Frame, InstanceHeader, StoredInstance } from '../../../src/domain/instance.js';

export const CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2';

/** A CT slice at `z` as a scanner sends it for a plain head; `more` overrides. */
export function headerAt(
  z: number,
  more: Partial<InstanceHeader> = {},
  frame: Frame = {},
): InstanceHeader {
  return {
    sopClassUid: CT_IMAGE,
    sopInstanceUid: `1.2.3.4.${Math.round(1000 * (z + 1000))}`,
    studyInstanceUid: '1.2.3',
    seriesInstanceUid: '1.2.3.4',
    transferSyntaxUid: '1.2.840.10008.1.2.1',
    patient: { id: '' },
    modality: 'CT',
    seriesDescription: 'Head 5.0 H31s',
    convolutionKernel: 'H31s',
    imageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
    samplesPerPixel: 1,
    photometricInterpretation: 'MONOCHROME2',
    rows: 512,
    columns: 512,
    frames: [
      {
        imagePositionPatient: [-120, -120, z],
        imageOrientationPatient: [1, 0, 0, 0, 1, 0],
        pixelSpacing: [0.45, 0.45],
        sliceThickness: 5,
        ...frame,
      },
    ],
    ...more,
  };
}

export function storedAt(
  z: number,
  more: Partial<InstanceHeader> = {},
  frame: Frame = {},
): StoredInstance {
  const header = headerAt(z, more, frame);
  const file = `/archive/${header.sopInstanceUid}.dcm`;
  return { header, file, sha256: `sha-${header.sopInstanceUid}`, receivedAt: 0 };
}

/** `count` slices from z = 0 upwards. */
export function seriesOf(
  count: number,
  spacing: number,
  more: Partial<InstanceHeader> = {},
  frame: Frame = {},
): StoredInstance[] {
  return Array.from({ length: count }, (_, i) => {
    const uid = `${more.seriesInstanceUid ?? '1.2.3.4'}.${i + 1}`;
    return storedAt(i * spacing, { instanceNumber: i + 1, sopInstanceUid: uid, ...more }, frame);
  });
}
