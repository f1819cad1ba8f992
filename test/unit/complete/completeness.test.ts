import { describe, expect, it } from 'vitest';
import {
  assessCompleteness,
  findGaps,
  type SeriesEvidence,
} from '../../../src/complete/completeness.js';
import type { InstanceHeader } from '../../../src/domain/instance.js';

const waits = { likelyMs: 2_000, unknownMs: 20_000, capMs: 600_000 };
const released = { open: 0, released: 1, broken: 0 };

function slices(positions: readonly number[], extra: Partial<InstanceHeader> = {}) {
  return positions.map(
    (z, i): InstanceHeader => ({
      sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
      sopInstanceUid: `1.2.3.${i}`,
      studyInstanceUid: '1.2',
      seriesInstanceUid: '1.2.3',
      transferSyntaxUid: '1.2.840.10008.1.2.1',
      patient: { id: 'k' },
      imageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
      frames: [
        {
          imagePositionPatient: [0, 0, z],
          imageOrientationPatient: [1, 0, 0, 0, 1, 0],
          sliceThickness: 5,
        },
      ],
      ...extra,
    }),
  );
}

function evidence(over: Partial<SeriesEvidence>): SeriesEvidence {
  return {
    instances: slices([0, 5, 10, 15]),
    associations: released,
    firstInstanceAt: 0,
    lastInstanceAt: 1_000,
    ...over,
  };
}

describe('assessCompleteness', () => {
  const four = slices([0, 5, 10, 15]);
  const uids = four.map(({ sopInstanceUid }) => sopInstanceUid);
  const rows: readonly [name: string, Partial<SeriesEvidence>, code: string, dueAt: number][] = [
    ['released and contiguous', {}, 'released-contiguous', 3_000],
    [
      'still open',
      { associations: { open: 1, released: 0, broken: 0 } },
      'association-open',
      21_000,
    ],
    [
      'broken once',
      { associations: { open: 0, released: 1, broken: 1 } },
      'association-broken',
      21_000,
    ],
    ['a slice missing inside', { instances: slices([0, 5, 15, 20]) }, 'gaps', 21_000],
    ['no positions', { instances: slices([0], { frames: [{}] }) }, 'released', 3_000],
    ['every listed instance', { listed: uids }, 'all-listed', 1_000],
    [
      'every listed instance, but more may come',
      { listed: uids, associations: { open: 1, released: 0, broken: 0 } },
      'association-open',
      21_000,
    ],
    ['a list of a part', { listed: uids.slice(0, 2) }, 'released-contiguous', 3_000],
    [
      'a list of one image, the only one so far',
      { listed: uids.slice(0, 1), instances: four.slice(0, 1) },
      'released-contiguous',
      3_000,
    ],
    [
      'every listed instance of a step that was discontinued',
      { listed: uids, discontinued: true },
      'discontinued',
      21_000,
    ],
    ['a listed instance missing', { listed: [...uids, '1.9'] }, 'listed-missing', 21_000],
    [
      'all of Images in Acquisition, association open',
      {
        instances: slices([0, 5, 10, 15], { imagesInAcquisition: 4 }),
        associations: { open: 1, released: 0, broken: 0 },
      },
      'announced-count',
      1_000,
    ],
    [
      'fewer than Number of Series Related Instances',
      { instances: slices([0, 5, 10], { numberOfSeriesRelatedInstances: 4 }) },
      'fewer-than-announced',
      21_000,
    ],
    [
      'more than announced: the announcement is not believed',
      { instances: slices([0, 5, 10, 15], { imagesInAcquisition: 2 }) },
      'released-contiguous',
      3_000,
    ],
    [
      'Images in Acquisition 1 means "this image"',
      { instances: slices([0, 5, 10, 15], { imagesInAcquisition: 1 }) },
      'released-contiguous',
      3_000,
    ],
    [
      'two acquisitions of two',
      {
        instances: [
          ...slices([0, 5], { acquisitionNumber: 1, imagesInAcquisition: 2 }),
          ...slices([10, 15], { acquisitionNumber: 2, imagesInAcquisition: 2 }),
        ],
      },
      'announced-count',
      1_000,
    ],
  ];

  it.each(rows)('%s', (_, over, code, dueAt) => {
    const before = assessCompleteness(evidence(over), waits, dueAt - 1);
    expect(before).toMatchObject({ complete: false, reason: { code }, dueAt });
    const then = assessCompleteness(evidence(over), waits, dueAt);
    expect(then).toMatchObject({ complete: true, reason: { code } });
  });

  it('ends a series that never falls silent at the cap', () => {
    const busy = evidence({
      associations: { open: 1, released: 0, broken: 0 },
      lastInstanceAt: 599_000,
    });
    expect(assessCompleteness(busy, waits, 599_999).complete).toBe(false);
    expect(assessCompleteness(busy, waits, 600_000)).toMatchObject({
      complete: true,
      reason: { code: 'hard-cap' },
    });
  });
});

describe('findGaps', () => {
  it('takes closer steps at the skull base for no gap', () => {
    expect(findGaps(slices([0, 2.5, 5, 7.5, 10, 15, 20, 25]))).toEqual({ positions: 8, gaps: 0 });
  });

  it('measures along the normal of a tilted gantry, in any order of arrival', () => {
    const tilted = [10.06, 5.84, 14.28, 22.72].map((z, i): InstanceHeader => {
      const [header] = slices([0]) as [InstanceHeader];
      const frame = {
        imagePositionPatient: [-110, -100 - z, z] as const,
        imageOrientationPatient: [1, 0, 0, 0, 0.9483237, -0.3173047] as const,
        sliceThickness: 4,
      };
      return { ...header, sopInstanceUid: `1.2.3.${i}`, frames: [frame] };
    });
    expect(findGaps(tilted)).toEqual({ positions: 4, gaps: 1 });
  });

  it('sees that every second slice is missing by the slice thickness', () => {
    expect(findGaps(slices([0, 10, 20, 30]))).toEqual({ positions: 4, gaps: 3 });
  });
});
