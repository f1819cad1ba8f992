import type { ConflictKind } from '../domain/conflict.js';
import type { InstanceHeader } from '../domain/instance.js';
import { contradicts, type PatientIdentity } from '../domain/patient.js';
import * as conflictSql from './conflict-queries.js';
import { studyPatient } from './conflict-store.js';
import type { Catalog } from './database.js';
import * as sql from './ingest-queries.js';

/** What an image contradicts, and the study that had its UIDs first. */
export interface FoundConflict {
  readonly kind: ConflictKind;
  readonly firstStudyInstanceUid: string;
}

/** Where an image's SOP or Series Instance UID is already; `file` that of the image with the same SOP Instance UID. */
interface First {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly file?: string;
}

/**
 * Returns what compares an image with all that came before it. `isSame` tells whether a file that is kept under the
 * same SOP Instance UID, by its path in the catalog, holds the same image.
 */
export function conflictFinder(
  catalog: Catalog,
): (header: InstanceHeader, isSame: (file: string) => boolean) => FoundConflict | undefined {
  const patientOf = studyPatient(catalog);
  const selectInstance = catalog.prepare<[string], Required<First>>(
    conflictSql.SELECT_FIRST_INSTANCE,
  );
  const selectSeries = catalog.prepare<[string], First>(sql.SELECT_SERIES);
  const selectResultSeries = catalog.prepare<[string], unknown>(conflictSql.SELECT_RESULT_SERIES);

  return (header, isSame) => {
    const { patient, studyInstanceUid, seriesInstanceUid, sopInstanceUid } = header;
    const instance = selectInstance.get(sopInstanceUid);
    const first = instance ?? selectSeries.get(seriesInstanceUid);
    const isOther = (study: string) => {
      const known: PatientIdentity | undefined = patientOf(study);
      return known !== undefined && contradicts(known, patient);
    };
    const kindOf = (): ConflictKind | undefined => {
      if (instance !== undefined && isOther(instance.studyInstanceUid)) return 'instance-patient';
      if (isOther(studyInstanceUid)) return 'study-patient';
      if (first === undefined) return undefined;
      if (first.studyInstanceUid !== studyInstanceUid) {
        return instance === undefined ? 'series-study' : 'instance-study';
      }
      if (instance === undefined) return undefined;
      if (instance.seriesInstanceUid !== seriesInstanceUid) return 'instance-series';
      return isSame(instance.file) ? 'instance-header' : 'instance-bytes';
    };
    const kind = kindOf();
    if (kind === undefined) return undefined;
    const firstStudyInstanceUid = first?.studyInstanceUid ?? studyInstanceUid;
    if (selectResultSeries.get(seriesInstanceUid) === undefined) {
      return { kind, firstStudyInstanceUid };
    }
    // One of Vigil's own objects, which a PACS sends back: it says nothing of the images.
    const isChanged = kind === 'instance-bytes' || kind === 'instance-header';
    return { kind: isChanged ? 'instance-header' : 'report-refiled', firstStudyInstanceUid };
  };
}
