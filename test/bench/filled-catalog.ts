import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { InstanceHeader } from '../../src/domain/instance.js';
import type { ReceivedInstance } from '../../src/domain/received-instance.js';
import { CATALOG_FILE, type Catalog, openCatalog } from '../../src/store/database.js';
import { type GroupFiles, groupCommitter, type Pending } from '../../src/store/ingest-rows.js';

const STUDIES_A_GROUP = 20;
const SLICES = 250;
const ROOT = '1.2.826.0.1.3680043.10.1338.9';

/**
 * Makes a catalog of reported and delivered studies of 250 slices in a folder, without their files. It says nothing of
 * a patient: all is counted.
 */
export function fillCatalog(folder: string, instances: number): void {
  const catalog = openCatalog(join(folder, CATALOG_FILE));
  try {
    // Filling is not what is measured.
    catalog.pragma('synchronous = OFF');
    const commit = groupCommitter(catalog, NO_FILES);
    const studies = Math.ceil(instances / SLICES);
    for (let first = 0; first < studies; first += STUDIES_A_GROUP) {
      const numbers = Array.from({ length: Math.min(STUDIES_A_GROUP, studies - first) }).map(
        (_, i) => first + i,
      );
      commit(numbers.flatMap((study) => sliceRows(study, SLICES)));
    }
    settle(catalog);
    catalog.pragma('optimize');
    catalog.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    catalog.close();
  }
}

/** Files that are nowhere: no two are compared, because no UID comes twice. */
export const NO_FILES: GroupFiles = {
  instancePath: ({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }) =>
    join('instances', studyInstanceUid, seriesInstanceUid, `${sopInstanceUid}.dcm`),
  conflictPath: ({ sopInstanceUid }) => join('conflicts', `${sopInstanceUid}.dcm`),
  isSameImage: () => false,
};

/** The slices of one study, as the receiver hands them over. */
export function sliceRows(study: number, count: number): Pending[] {
  return Array.from({ length: count }, (_, i) => ({
    type: 'instance',
    received: receivedSlice(study, i),
  }));
}

function receivedSlice(study: number, i: number): ReceivedInstance {
  const header: InstanceHeader = {
    sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
    sopInstanceUid: `${ROOT}.${study}.1.${i}`,
    studyInstanceUid: `${ROOT}.${study}`,
    seriesInstanceUid: `${ROOT}.${study}.1`,
    transferSyntaxUid: '1.2.840.10008.1.2.1',
    patient: { id: `patient ${study}` },
    modality: 'CT',
    manufacturer: 'Benchmark',
    seriesDescription: 'HEAD 1.0 THIN',
    protocolName: 'HEAD ROUTINE',
    bodyPartExamined: 'HEAD',
    imageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
    convolutionKernel: 'SOFT',
    seriesNumber: 2,
    acquisitionNumber: 1,
    instanceNumber: i + 1,
    rows: 512,
    columns: 512,
    samplesPerPixel: 1,
    photometricInterpretation: 'MONOCHROME2',
    bitsAllocated: 16,
    bitsStored: 12,
    highBit: 11,
    pixelRepresentation: 0,
    frames: [
      {
        imagePositionPatient: [-115, -115, i],
        imageOrientationPatient: [1, 0, 0, 0, 1, 0],
        pixelSpacing: [0.45, 0.45],
        sliceThickness: 1,
        rescaleSlope: 1,
        rescaleIntercept: -1024,
      },
    ],
  };
  return {
    header,
    file: '',
    sha256: randomBytes(32).toString('hex'),
    bytes: 526_000,
    associationId: study,
    callingAeTitle: 'CT1',
    calledAeTitle: 'VIGIL',
    receivedAt: Date.now(),
  };
}

/** Every study has been read, reported with two objects, and these delivered. */
function settle(catalog: Catalog): void {
  catalog.exec(`
    UPDATE series SET state = 'complete', completed_at = last_instance_at, verdict = 'analysed';
    UPDATE study SET selection_due_at = NULL;
    INSERT INTO analysis (study_instance_uid, revision, series_instance_uid, input_hash, trigger_code, trigger_text,
                          state, due_at, created_at, analysed_at, reported_at, outcome)
      SELECT study_instance_uid, 1, series_instance_uid, '', 'complete', '', 'reported', last_instance_at,
        last_instance_at, last_instance_at, last_instance_at, 'negative' FROM series;
    INSERT INTO result_object (sop_instance_uid, analysis_id, kind, sop_class_uid, series_instance_uid,
                               transfer_syntax_uid, file, bytes, sha256, created_at)
      SELECT study_instance_uid || '.' || kind.key, analysis_id, kind.value, '1.2.840.10008.5.1.4.1.1.7',
        study_instance_uid || '.9', '1.2.840.10008.1.2.1', study_instance_uid || kind.key, 20000, '', created_at
      FROM analysis, json_each('["sr", "summary"]') AS kind;
    INSERT INTO delivery (sop_instance_uid, destination, route, priority, state, created_at, attempts, due_at,
                          settled_at, status)
      SELECT sop_instance_uid, 'pacs', 'everything', 1, 'delivered', created_at, 1, created_at, created_at, 0
      FROM result_object;
  `);
}
