import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { readSourcePrefix, type SourceDataset } from '../dicom/source-dataset.js';
import type { Log } from '../log.js';
import type { Catalog } from './database.js';
import * as sql from './worklist-queries.js';

/** Long enough for patient and study in nearly every file; what lies behind is read whole. */
const PREFIX_BYTES = 64 * 1024;
const AT_A_TIME = 20;

interface Unlabelled {
  readonly number: number;
  readonly studyInstanceUid: string;
}

/**
 * Writes down whose study each is, from the header of one of its files: after the slices are safe, and for the studies
 * of older versions too.
 */
export class StudyLabels {
  readonly #catalog: Catalog;
  readonly #folder: string;
  readonly #onLabelled: (studyInstanceUid: string) => void;
  readonly #log: Log;

  constructor(options: {
    catalog: Catalog;
    folder: string;
    onLabelled: (studyInstanceUid: string) => void;
    log: Log;
  }) {
    this.#catalog = options.catalog;
    this.#folder = options.folder;
    this.#onLabelled = options.onLabelled;
    this.#log = options.log;
  }

  /** One pass of a worker loop: some studies, 0 where there may be more. */
  async run(): Promise<number | undefined> {
    const studies = this.#catalog.prepare(sql.UNLABELLED).all(AT_A_TIME) as Unlabelled[];
    for (const study of studies) await this.#label(study);
    return studies.length < AT_A_TIME ? undefined : 0;
  }

  async #label({ number, studyInstanceUid }: Unlabelled): Promise<void> {
    const { file } = this.#catalog.prepare(sql.A_FILE_OF_STUDY).get({ uid: studyInstanceUid }) as {
      file: string | null;
    };
    let dataset: SourceDataset | undefined;
    try {
      if (file !== null) dataset = await readHeader(join(this.#folder, file));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.#log.warn({ studyInstanceUid, reason: code ?? message }, 'a study stays without a name');
    }
    const text = (keyword: string) => dataset?.text(keyword) || null;
    this.#catalog.prepare(sql.LABEL_STUDY).run({
      number,
      patientName: text('PatientName'),
      patientId: text('PatientID'),
      birthDate: text('PatientBirthDate'),
      sex: text('PatientSex'),
      accessionNumber: text('AccessionNumber'),
      studyDescription: text('StudyDescription'),
    });
    this.#onLabelled(studyInstanceUid);
  }
}

async function readHeader(path: string): Promise<SourceDataset> {
  const handle = await open(path, 'r');
  try {
    const prefix = Buffer.alloc(PREFIX_BYTES);
    const { bytesRead } = await handle.read(prefix, 0, PREFIX_BYTES, 0);
    const { dataset, ended } = readSourcePrefix(prefix.subarray(0, bytesRead));
    if (ended === 'end-of-header' || bytesRead < PREFIX_BYTES) return dataset;
    return readSourcePrefix(await handle.readFile()).dataset;
  } finally {
    await handle.close();
  }
}
