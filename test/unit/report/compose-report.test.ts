import { describe, expect, it } from 'vitest';
import { readSourceDataset, type SourceDataset } from '../../../src/dicom/source-dataset.js';
import type { ResultObject } from '../../../src/domain/result-object.js';
import { composeReport } from '../../../src/report/compose-report.js';
import { generatedSeries, reportInput, type Series } from './cases.js';

const small = generatedSeries({ slices: 10, rows: 48, columns: 48, pixelSpacing: [4.8, 4.8] });

const kinds = (objects: readonly ResultObject[]) => objects.map(({ kind }) => kind);

function find(objects: readonly ResultObject[], kind: string): SourceDataset {
  const object = objects.find((candidate) => candidate.kind === kind);
  if (!object) throw new Error(`no ${kind}`);
  return readSourceDataset(object.part10);
}

/** Every item of the content tree as "RELATIONSHIP TYPE name = value", in order. */
function contentLines(dataset: SourceDataset): string[] {
  return dataset.items('ContentSequence').flatMap((item) => {
    const name = item.items('ConceptNameCodeSequence')[0]?.text('CodeMeaning') ?? '';
    const value =
      item.items('ConceptCodeSequence')[0]?.text('CodeMeaning') ??
      item.items('MeasuredValueSequence')[0]?.text('NumericValue') ??
      (item.text('TextValue') || item.text('UID'));
    const line = `${item.text('RelationshipType')} ${item.text('ValueType')} ${name} = ${value}`;
    return [line, ...contentLines(item)];
  });
}

describe('composeReport', () => {
  it.each([
    ['positive', ['sr', 'sr', 'heatmap', 'heatmap', 'heatmap', 'summary', 'key-objects']],
    ['undetermined', ['sr', 'sr', 'heatmap', 'heatmap', 'heatmap', 'summary', 'key-objects']],
    ['negative', ['sr', 'sr', 'summary']],
    ['not-eligible', ['sr', 'sr', 'summary']],
    ['failed', ['sr', 'sr', 'summary']],
  ] as const)('%s', async (outcome, expected) => {
    const objects = await composeReport(reportInput(outcome, small));
    expect(kinds(objects)).toEqual(expected);
    const [primary, fallback] = objects;
    expect(fallback?.fallbackFor).toBe(primary?.sopInstanceUid);
    expect(primary?.fallbackFor).toBeUndefined();
    expect(new Set(objects.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(objects.length);
  });

  it('gives the same bytes for the same input', async () => {
    const bytes = async () =>
      (await composeReport(reportInput('positive', small))).map(({ part10 }) =>
        Buffer.from(part10).toString('base64'),
      );
    expect(await bytes()).toEqual(await bytes());
  });

  it('keeps patient and study, and puts each kind into a series of its own', async () => {
    const objects = await composeReport(reportInput('positive', small));
    const source = readSourceDataset(await small.readFile(small.instances[0]?.file as string));
    const seriesOfKinds = new Map<string, string>();
    for (const object of objects) {
      const dataset = readSourceDataset(object.part10);
      for (const keyword of [
        'StudyInstanceUID',
        'PatientName',
        'PatientID',
        'PatientBirthDate',
        'PatientSex',
        'StudyDate',
        'StudyTime',
        'AccessionNumber',
        'StudyDescription',
        'ReferringPhysicianName',
      ]) {
        expect(dataset.text(keyword), keyword).toBe(source.text(keyword));
      }
      expect(dataset.text('SpecificCharacterSet')).toBe('ISO_IR 192');
      expect(dataset.text('SOPInstanceUID')).toBe(object.sopInstanceUid);
      expect(dataset.text('SeriesInstanceUID')).toBe(object.seriesInstanceUid);
      seriesOfKinds.set(object.kind, object.seriesInstanceUid);
    }
    const uids = [...seriesOfKinds.values(), source.text('SeriesInstanceUID')];
    expect(new Set(uids).size).toBe(uids.length);
  });

  it('states every class with its presence and certainty, and explains the present one', async () => {
    const objects = await composeReport(reportInput('positive', small));
    const lines = contentLines(find(objects, 'sr'));
    expect(lines.filter((line) => line.includes('CODE Presence of finding'))).toEqual([
      'CONTAINS CODE Presence of finding = Present',
      'CONTAINS CODE Presence of finding = Absent',
      'CONTAINS CODE Presence of finding = Present',
      'CONTAINS CODE Presence of finding = Undetermined',
      'CONTAINS CODE Presence of finding = Undetermined',
      'CONTAINS CODE Presence of finding = Absent',
    ]);
    const certainty = 'HAS PROPERTIES NUM Certainty of Finding';
    expect(lines.filter((line) => line.startsWith(certainty))[0]).toBe(`${certainty} = 96.4`);
    expect(lines.filter((line) => line.startsWith(certainty))).toHaveLength(6);
    expect(lines[lines.indexOf(`${certainty} = 96.4`) - 1]).toBe(
      'CONTAINS CODE Finding = Intracranial hemorrhage',
    );
    expect(lines.filter((line) => line.includes('IMAGE Visual explanation'))).toHaveLength(3);
    expect(lines.filter((line) => line.includes('IMAGE Source ='))).toHaveLength(6);
    expect(lines).toContain(
      'CONTAINS CODE CAD Processing and Findings Summary = All algorithms succeeded; with findings',
    );
    expect(lines).toContain('CONTAINS CODE Urgency of finding = ACR Category 1 Actionable Finding');
  });

  it('tracks a class under the same UID in every report of the study', async () => {
    const tracked = async (outcome: 'positive' | 'negative') =>
      contentLines(find(await composeReport(reportInput(outcome, small)), 'sr')).filter((line) =>
        line.includes('UIDREF Tracking Unique Identifier'),
      );
    expect(new Set(await tracked('positive')).size).toBe(6);
    expect(await tracked('negative')).toEqual(await tracked('positive'));
  });

  it.each([
    ['not-eligible', 'The series has fewer than 8 slice positions', 'COMPLETE'],
    ['failed', 'The inference process ended twice while it read the series', 'PARTIAL'],
  ] as const)('never lets %s pass for negative', async (outcome, reason, completion) => {
    const report = find(await composeReport(reportInput(outcome, small)), 'sr');
    const lines = contentLines(report);
    expect(lines).toContain(
      'CONTAINS CODE CAD Processing and Findings Summary = No algorithms succeeded; without findings',
    );
    expect(lines).toContain(`CONTAINS TEXT Reason why not analysed = ${reason}`);
    expect(lines.filter((line) => line.includes('TEXT Series considered'))).toHaveLength(2);
    expect(lines.join()).not.toMatch(/Absent|Presence/);
    expect(report.text('CompletionFlag')).toBe(completion);
    expect(report.text('VerificationFlag')).toBe('UNVERIFIED');
  });

  it('names all that it refers to as evidence', async () => {
    const objects = await composeReport(reportInput('positive', small));
    const listed = (dataset: SourceDataset) =>
      dataset
        .items('CurrentRequestedProcedureEvidenceSequence')
        .flatMap((study) => study.items('ReferencedSeriesSequence'))
        .flatMap((series) => series.items('ReferencedSOPSequence'))
        .map((reference) => reference.text('ReferencedSOPInstanceUID'));
    const images = small.instances.map(({ header }) => header.sopInstanceUid);
    const heatMaps = objects.filter(({ kind }) => kind === 'heatmap');
    expect(listed(find(objects, 'sr')).sort()).toEqual(
      [...images, ...heatMaps.map(({ sopInstanceUid }) => sopInstanceUid)].sort(),
    );
    expect(listed(find(objects, 'key-objects'))).toHaveLength(3);
  });

  it('names the frame of a multi-frame source', async () => {
    const objects = await composeReport(reportInput('positive', multiFrame()));
    const source = find(objects, 'heatmap').items('SourceImageSequence')[0];
    expect(source?.text('ReferencedFrameNumber')).toBe('7');
    const references = find(objects, 'key-objects')
      .items('ContentSequence')
      .flatMap((item) => item.items('ReferencedSOPSequence'));
    expect(references.map((reference) => reference.text('ReferencedFrameNumber'))).toEqual([
      '7',
      '5',
      '9',
    ]);
  });

  it('names the report that it supersedes', async () => {
    const predecessor = {
      sopClassUid: '1.2.840.10008.5.1.4.1.1.88.34',
      sopInstanceUid: '2.25.11',
      seriesInstanceUid: '2.25.12',
      studyInstanceUid: '2.25.13',
    };
    const fallback = {
      ...predecessor,
      sopClassUid: '1.2.840.10008.5.1.4.1.1.88.33',
      sopInstanceUid: '2.25.14',
    };
    const input = reportInput('negative', small, {
      predecessor: { ...predecessor, fallback },
      revision: 2,
    });
    const superseded = (await composeReport(input))
      .filter(({ kind }) => kind === 'sr')
      .map(({ sopClassUid, part10 }) => {
        const [study] = readSourceDataset(part10).items('PredecessorDocumentsSequence');
        const [series] = study?.items('ReferencedSeriesSequence') ?? [];
        const [document] = series?.items('ReferencedSOPSequence') ?? [];
        expect(document?.text('ReferencedSOPClassUID')).toBe(sopClassUid);
        return document?.text('ReferencedSOPInstanceUID');
      });
    expect(superseded).toEqual(['2.25.11', '2.25.14']);
  });

  it('writes dates in the time zone of the source', async () => {
    const tokyo = generatedSeries({
      slices: 10,
      rows: 16,
      columns: 16,
      attributes: { TimezoneOffsetFromUTC: '+0900' },
    });
    const createdAt = new Date('2026-01-02T20:00:00.250Z');
    const report = find(await composeReport(reportInput('negative', tokyo, { createdAt })), 'sr');
    expect(report.text('ContentDate')).toBe('20260103');
    expect(report.text('ContentTime')).toBe('050000.250');
  });

  it('refuses an empty text on the intended use, and a study without instances', async () => {
    const { options } = reportInput('negative', small);
    await expect(
      composeReport(reportInput('negative', small, { options: { ...options, researchText: ' ' } })),
    ).rejects.toMatchObject({ code: 'no-research-text' });
    await expect(
      composeReport(reportInput('failed', small, { sourceInstances: [] })),
    ).rejects.toMatchObject({ code: 'no-source' });
  });
});

/** One object with the frames of a whole head. */
function multiFrame(): Series {
  const frames = 10;
  const pixels = Buffer.alloc(16 * 16 * 2 * frames);
  const attributes = { NumberOfFrames: frames, PixelData: pixels };
  const series = generatedSeries({ slices: 1, rows: 16, columns: 16, attributes });
  return {
    ...series,
    instances: series.instances.map((instance) => ({
      ...instance,
      header: {
        ...instance.header,
        frames: Array.from({ length: frames }, () => ({ pixelSpacing: [10, 10] as const })),
      },
    })),
  };
}
