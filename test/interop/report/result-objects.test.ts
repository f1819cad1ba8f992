import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENHANCED_CT_IMAGE } from '../../../src/dicom/sop-classes.js';
import type { Outcome } from '../../../src/domain/finding.js';
import type { ResultObject } from '../../../src/domain/result-object.js';
import { composeReport } from '../../../src/report/compose-report.js';
import {
  generatedSeries,
  realOrGenerated,
  reportInput,
  type Series,
} from '../../unit/report/cases.js';
import { requireTools } from '../tools.js';

const run = promisify(execFile);
const OUTCOMES: readonly Outcome[] = [
  'positive',
  'negative',
  'undetermined',
  'not-eligible',
  'failed',
];

/** 山田^太郎 in JIS X 0208, as Japanese devices write it. */
const KANJI = Buffer.from(
  '1b2442 3b3345441b28425e 1b2442 42404f3a1b2842'.replaceAll(' ', ''),
  'hex',
);

const SOURCES: Readonly<Record<string, () => Series | Promise<Series>>> = {
  'a real head series': realOrGenerated,
  'a Latin-1 source': () =>
    generatedSeries({
      attributes: {
        SpecificCharacterSet: 'ISO_IR 100',
        PatientName: Buffer.from('M\xfcller^J\xf6rg ', 'latin1'),
        StudyDescription: Buffer.from('Sch\xe4del ', 'latin1'),
        ReferringPhysicianName: '',
      },
    }),
  'a Japanese source': () =>
    generatedSeries({
      attributes: {
        SpecificCharacterSet: ['', 'ISO 2022 IR 87'],
        PatientName: KANJI,
        StudyDescription: '',
        ReferringPhysicianName: '',
        TimezoneOffsetFromUTC: '+0900',
      },
    }),
  'a source that lacks patient and study attributes': () =>
    generatedSeries({
      attributes: {
        PatientName: undefined,
        PatientID: undefined,
        PatientBirthDate: undefined,
        PatientSex: undefined,
        StudyDate: undefined,
        StudyTime: undefined,
        StudyID: undefined,
        AccessionNumber: undefined,
        ReferringPhysicianName: undefined,
        StudyDescription: undefined,
      },
    }),
  'a source with values that no reader could use': () =>
    generatedSeries({
      rows: 200,
      columns: 300,
      pixelSpacing: [1.2, 0.7],
      attributes: {
        PatientBirthDate: '1970.01.31',
        PatientSex: 'MALE',
        StudyTime: '10:11',
        PatientIdentityRemoved: 'YES',
        LossyImageCompression: '01',
        LossyImageCompressionRatio: 7.5,
        LossyImageCompressionMethod: 'ISO_10918_1',
      },
    }),
};

describe.runIf(requireTools('dciodvfy', 'dsrdump', 'dcmdump'))('result objects', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vigil-report-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function written(objects: readonly ResultObject[]): Promise<string[]> {
    return Promise.all(
      objects.map(async ({ kind, part10 }, i) => {
        const file = join(folder, `${i}-${kind}.dcm`);
        await writeFile(file, part10);
        return file;
      }),
    );
  }

  for (const [i, [name, source]] of Object.entries(SOURCES).entries()) {
    // The outcomes differ in what is said, the sources in what is copied: one of them with all outcomes is enough.
    it.each(i === 0 ? OUTCOMES : (['positive', 'failed'] as const))(
      `from ${name} are valid: %s`,
      async (outcome) => {
        const objects = await composeReport(reportInput(outcome, await source()));
        for (const file of await written(objects)) {
          expect(await errorsOf(file), file).toEqual([]);
          const { stdout } = await run('dcmdump', ['+P', '0008,0005', file]);
          expect(stdout).toContain('[ISO_IR 192]');
          if (/-(sr|key-objects)[.]dcm$/.test(file)) {
            const dump = await run('dsrdump', [file]);
            expect(dump.stdout).toMatch(/Comprehensive|Key Object Selection Document/);
            expect(dump.stderr).not.toMatch(/^[EF]:/m);
          }
        }
      },
    );
  }

  it.each([
    ['a Latin-1 source', 'Müller^Jörg'],
    ['a Japanese source', '山田^太郎'],
  ])('carry the name of %s in UTF-8', async (name, patientName) => {
    const source = SOURCES[name] as () => Series;
    const [file] = await written(await composeReport(reportInput('failed', source())));
    const { stdout } = await run('dcmdump', ['+P', '0010,0010', '-q', file as string]);
    expect(stdout).toContain(`[${patientName}]`);
  });

  it('refer to frames, and to the report that they supersede', async () => {
    const predecessor = {
      sopClassUid: '1.2.840.10008.5.1.4.1.1.88.34',
      sopInstanceUid: '2.25.11',
      seriesInstanceUid: '2.25.12',
      studyInstanceUid: '2.25.13',
    };
    const frames = 10;
    const single = generatedSeries({
      slices: 1,
      rows: 16,
      columns: 16,
      attributes: {
        SOPClassUID: ENHANCED_CT_IMAGE,
        NumberOfFrames: frames,
        PixelData: Buffer.alloc(16 * 16 * 2 * frames),
      },
    });
    const series: Series = {
      ...single,
      instances: single.instances.map((instance) => ({
        ...instance,
        header: { ...instance.header, frames: Array.from({ length: frames }, () => ({})) },
      })),
    };
    const input = reportInput('positive', series, { predecessor, revision: 2 });
    for (const file of await written(await composeReport(input))) {
      expect(await errorsOf(file), file).toEqual([]);
    }
    const { stdout } = await run('dcmdump', ['+P', '0008,1160', join(folder, '0-sr.dcm')]);
    expect(stdout).toContain('[7]');
  });
});

/** What dciodvfy finds wrong; it answers 1 where that is anything. */
async function errorsOf(file: string): Promise<string[]> {
  const { stdout, stderr } = await run('dciodvfy', [file]).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return `${stdout}\n${stderr}`.split('\n').filter((line) => line.startsWith('Error'));
}
