import { describe, expect, it } from 'vitest';
import type { Frame, InstanceHeader, StoredInstance } from '../../../src/domain/instance.js';
import { compareQuality, judgeSeries, type SeriesQuality } from '../../../src/infer/eligibility.js';
import { seriesOf, storedAt } from './series.js';

const LOCALIZER = ['ORIGINAL', 'PRIMARY', 'LOCALIZER'];

function codeOf(series: readonly StoredInstance[], whole = true): string {
  const judgement = judgeSeries(series, whole);
  return judgement.eligible ? 'eligible' : judgement.reason.code;
}

const head = (more: Partial<InstanceHeader> = {}, frame: Frame = {}) =>
  seriesOf(28, 5, more, frame);

describe('a series', () => {
  it.each<[string, readonly StoredInstance[], string]>([
    ['a plain head', head(), 'eligible'],
    ['a head whose body part says nothing', head({ bodyPartExamined: 'CHEST' }), 'eligible'],
    [
      'a derived axial reformat',
      head({ imageType: ['DERIVED', 'PRIMARY', 'AXIAL', 'MPR'] }),
      'eligible',
    ],
    ['thin slices', seriesOf(240, 0.6), 'eligible'],
    [
      'a head with a scout inside',
      [
        ...head(),
        storedAt(0, { imageType: LOCALIZER }, { imageOrientationPatient: [0, 1, 0, 0, 0, -1] }),
      ],
      'eligible',
    ],
    [
      'a head with a screen save inside',
      [...head(), storedAt(0, { sopClassUid: '1.2.840.10008.5.1.4.1.1.7' })],
      'eligible',
    ],
    [
      'an enhanced multi-frame head',
      [
        storedAt(0, {
          sopClassUid: '1.2.840.10008.5.1.4.1.1.2.1',
          frames: head().flatMap(({ header }) => header.frames),
        }),
      ],
      'eligible',
    ],
    [
      'two scans that overlap in a slice',
      [...head(), storedAt(70, { sopInstanceUid: 'b', acquisitionNumber: 2 })],
      'eligible',
    ],
    [
      'every slice sent twice under two UIDs',
      [...head(), ...head({ sopInstanceUid: 'copy' })],
      'eligible',
    ],
    ['a magnetic resonance', head({ modality: 'MR' }), 'not-ct'],
    [
      'a dose report',
      head({ modality: 'SR', sopClassUid: '1.2.840.10008.5.1.4.1.1.88.67', frames: [] }),
      'not-ct',
    ],
    ['a scout', seriesOf(2, 5, { imageType: LOCALIZER }), 'localizer'],
    [
      'screen saves',
      seriesOf(3, 5, { sopClassUid: '1.2.840.10008.5.1.4.1.1.7' }),
      'secondary-capture',
    ],
    [
      'a dose page stored as CT',
      seriesOf(1, 5, { seriesDescription: 'Dose Report' }),
      'secondary-capture',
    ],
    [
      'a patient protocol stored as CT',
      seriesOf(1, 5, { seriesDescription: 'Patient Protocol' }),
      'secondary-capture',
    ],
    [
      'an object of another kind',
      head({ sopClassUid: '1.2.840.10008.5.1.4.1.1.66' }),
      'not-an-image',
    ],
    ['7 slices', seriesOf(7, 20), 'too-few-slices'],
    ['28 slices at one position', seriesOf(28, 0), 'too-few-slices'],
    ['a third of a head', seriesOf(10, 5), 'coverage-too-small'],
    ['a trunk', seriesOf(100, 5), 'coverage-too-large'],
    ['coronal slices', head({}, { imageOrientationPatient: [1, 0, 0, 0, 0, -1] }), 'not-axial'],
    ['a steep tilt', head({}, { imageOrientationPatient: [1, 0, 0, 0, 0.7, -0.714] }), 'not-axial'],
    [
      'axial and coronal slices',
      [...head(), storedAt(9, {}, { imageOrientationPatient: [1, 0, 0, 0, 0, -1] })],
      'mixed-orientations',
    ],
    [
      'no position',
      head({ frames: [{ imageOrientationPatient: [1, 0, 0, 0, 1, 0] }] }),
      'no-geometry',
    ],
    ['one slice without a position', [...head(), storedAt(200, { frames: [{}] })], 'no-geometry'],
    ['two matrix sizes', [...head(), storedAt(141, { rows: 256, columns: 256 })], 'mixed-images'],
    ['two kernels in one', [...head(), ...head({ convolutionKernel: 'H60s' })], 'mixed-images'],
    [
      'two phases',
      [...head({ acquisitionNumber: 1 }), ...head({ acquisitionNumber: 2 })],
      'several-phases',
    ],
    [
      'a multi-frame object of two phases',
      [
        storedAt(0, {
          sopClassUid: '1.2.840.10008.5.1.4.1.1.2.1',
          frames: [...head(), ...head()].flatMap(({ header }) => header.frames),
        }),
      ],
      'several-phases',
    ],
    [
      'two times',
      [...head(), ...head({ acquisitionDateTime: '20240101120000' })],
      'several-phases',
    ],
    ['colour', head({ samplesPerPixel: 3, photometricInterpretation: 'RGB' }), 'not-monochrome'],
    ['a spectral map', head({ spectral: true }), 'spectral'],
    ['a virtual non-contrast image', head({ seriesDescription: 'Head VNC 5.0' }), 'spectral'],
    ['a projection', head({ imageType: ['DERIVED', 'SECONDARY', 'AXIAL', 'MIP'] }), 'derived-view'],
    [
      'a chest',
      head({ seriesDescription: 'Thorax 5.0', bodyPartExamined: 'CHEST' }),
      'wrong-body-part',
    ],
  ])('of %s is judged', (_name, series, code) => {
    expect(codeOf(series)).toBe(code);
  });

  it('that is arriving is not refused for what is still to come', () => {
    expect(codeOf(seriesOf(3, 5), false)).toBe('eligible');
    expect(codeOf(seriesOf(3, 5, { spectral: true }), false)).toBe('spectral');
  });
});

describe('the region', () => {
  it.each([
    ['Low dose head', undefined, 'eligible'],
    ['AXIAL 5mm', undefined, 'eligible'],
    ['AXIAL 5mm', 'CHEST', 'wrong-body-part'],
    ['Thorax', 'HEAD', 'eligible'],
    ['Head and facial bones', 'HEAD', 'eligible'],
    ['Facial bones 1.0', 'HEAD', 'wrong-body-part'],
    ['SINUS AXIAL', 'HEAD', 'wrong-body-part'],
    ['Orbits', undefined, 'wrong-body-part'],
    ['C-SPINE 2.0', 'SPINE', 'wrong-body-part'],
    ['Neck', 'NECK', 'wrong-body-part'],
  ])('of "%s" with the body part %s makes the series %s', (seriesDescription, bodyPart, code) => {
    const more = {
      seriesDescription,
      ...(bodyPart !== undefined && { bodyPartExamined: bodyPart }),
    };
    expect(codeOf(head(more))).toBe(code);
  });

  it('is left open where the study is of the head', () => {
    const more = { seriesDescription: 'Neck 3.0', studyDescription: 'CT HEAD AND NECK' };
    expect(codeOf(head(more))).toBe('eligible');
  });
});

describe('contrast', () => {
  it.each([
    'Head w/o 5mm',
    'HEAD WITHOUT CONTRAST',
    'CT HEAD W/O CONTRAST',
    'Brain wo contrast',
    'Schädel nativ 5.0',
    'NON-CONTRAST HEAD',
    'Noncon Brain 5mm',
    'NCCT',
    'Crane sans injection',
    'Kopf ohne KM',
    'HEAD UNENHANCED',
    'Cranio senza contrasto',
    'C- Brain',
    'Head post op',
    'Posterior fossa 2.5',
    'Head 5.0 H31s',
    'AXIAL HEAD',
  ])('is not told by "%s"', (seriesDescription) => {
    expect(codeOf(head({ seriesDescription }))).toBe('eligible');
  });

  it.each([
    'Head with contrast',
    'HEAD + C+',
    'Head W/ CONTRAST',
    'CTA Head 0.75',
    'CT Angio COW',
    'Carotids',
    'Perfusion 5mm',
    'VPCT Brain',
    'Head KM 5.0',
    'Brain post contrast',
    'Head venous phase',
    'Bolus tracking',
    'Enhanced head',
    'Cerebral angiography',
  ])('is told by "%s"', (seriesDescription) => {
    expect(codeOf(head({ seriesDescription }))).toBe('contrast');
  });

  it.each([
    'NONE',
    'None',
    'NO',
    'no contrast',
    'W/O',
    'WITHOUT CONTRAST',
    'Non-contrast',
    'n/a',
    '0',
    ' ',
  ])('is not told by the agent "%s"', (contrastBolusAgent) => {
    expect(codeOf(head({ contrastBolusAgent }))).toBe('eligible');
  });

  it.each(['OMNIPAQUE 350', 'IV', 'Ultravist', 'APPLIED', 'Iohexol 100 ml'])(
    'is told by the agent "%s"',
    (contrastBolusAgent) => {
      expect(codeOf(head({ contrastBolusAgent }))).toBe('contrast');
    },
  );

  it('is not told by a protocol that is named for the whole study', () => {
    const protocolName = 'CTA Head and Neck';
    expect(codeOf(head({ seriesDescription: 'Head native', protocolName }))).toBe('eligible');
    expect(codeOf(head({ seriesDescription: 'AXIAL 5mm', protocolName }))).toBe('eligible');
    expect(codeOf(head({ seriesDescription: '', protocolName }))).toBe('contrast');
  });
});

describe('kernels', () => {
  it.each([
    ['H31s', 'soft'],
    ['J40s', 'soft'],
    ['Hr38f', 'soft'],
    ['H60s', 'sharp'],
    ['Hr59f', 'sharp'],
    ['Br64', 'sharp'],
    ['STANDARD', 'soft'],
    ['STD+', 'soft'],
    ['SOFT', 'soft'],
    ['BONEPLUS', 'sharp'],
    ['DETAIL', 'sharp'],
    ['FC21', 'soft'],
    ['FC64', 'soft'],
    ['FC30', 'sharp'],
    ['FC81', 'sharp'],
    ['UB', 'soft'],
    ['YA', 'sharp'],
    ['XYZ', 'unknown'],
  ])('%s is %s', (convolutionKernel, kernel) => {
    const judgement = judgeSeries(head({ convolutionKernel, seriesDescription: 'Head' }), true);
    expect(judgement).toMatchObject({ quality: { kernel } });
  });
});

describe('preference', () => {
  const plain: SeriesQuality = {
    region: 'head',
    kernel: 'soft',
    thicknessMm: 5,
    coverageMm: 140,
    derived: false,
    positions: 28,
  };

  it.each<[string, Partial<SeriesQuality>]>([
    ['of another region', { region: 'other' }],
    ['with a bone kernel', { kernel: 'sharp' }],
    ['with an unknown kernel', { kernel: 'unknown' }],
    ['of a part of the head', { coverageMm: 100 }],
    ['of thin slices', { thicknessMm: 0.6 }],
    ['further from 5 mm', { thicknessMm: 3 }],
    ['that is derived', { derived: true }],
    ['with fewer slices', { positions: 20 }],
  ])('goes to a plain one before one %s', (_name, more) => {
    expect(compareQuality(plain, { ...plain, ...more })).toBeLessThan(0);
    expect(compareQuality({ ...plain, ...more }, plain)).toBeGreaterThan(0);
  });

  it('goes to soft thin slices before thick ones with a bone kernel', () => {
    const thin: SeriesQuality = { ...plain, thicknessMm: 0.6, derived: true };
    expect(compareQuality(thin, { ...plain, kernel: 'sharp' })).toBeLessThan(0);
  });
});
