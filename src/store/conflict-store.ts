import { join } from 'node:path';
import {
  CONFLICT_KINDS,
  type ConflictKind,
  conflictReason,
  raisesDoubt,
  type StudyConflicts,
} from '../domain/conflict.js';
import type { InstanceHeader, StoredInstance } from '../domain/instance.js';
import { contradicts, type PatientIdentity } from '../domain/patient.js';
import * as sql from './conflict-queries.js';
import { type Catalog, readingRows } from './database.js';
import { eventWriter } from './events.js';

/** Conflicts of one kind that wait for a person. */
export interface OpenConflict {
  readonly studyInstanceUid: string;
  readonly kind: ConflictKind;
  readonly images: number;
  readonly since: number;
}

type PatientRow = { readonly [Key in keyof PatientIdentity]-?: string | null };

/** The rows of images that are kept apart. */
export class ConflictStore {
  readonly #catalog: Catalog;
  readonly #folder: string;

  constructor(catalog: Catalog, folder: string) {
    this.#catalog = catalog;
    this.#folder = folder;
  }

  /** What of a study's images is in doubt. @throws StageError where rows are damaged for good */
  ofStudy(studyInstanceUid: string): StudyConflicts {
    return readingRows(() => {
      const rows = this.#catalog.prepare(sql.CONFLICTS_TOUCHING).all({ studyInstanceUid }) as {
        kind: ConflictKind;
        receivedAt: number;
      }[];
      const doubts = rows.filter(({ kind }) => raisesDoubt(kind));
      const kinds = new Set(doubts.map(({ kind }) => kind));
      return {
        kinds: CONFLICT_KINDS.filter((kind) => kinds.has(kind)),
        receivedAt: doubts.map(({ receivedAt }) => receivedAt),
        series: this.#apartSeries(studyInstanceUid),
      };
    });
  }

  /** Instances that name the study and do not contradict its patient: for a report on a study that has no others. */
  apartInstances(studyInstanceUid: string): StoredInstance[] {
    const patient = studyPatient(this.#catalog)(studyInstanceUid);
    const rows = this.#catalog.prepare(sql.APART_INSTANCES).all(studyInstanceUid) as {
      header: string;
      file: string;
      sha256: string;
      receivedAt: number;
    }[];
    return rows
      .map(({ header, file, ...row }) => ({
        ...row,
        header: JSON.parse(header) as InstanceHeader,
        file: join(this.#folder, file),
      }))
      .filter(({ header }) => patient === undefined || !contradicts(patient, header.patient));
  }

  /** What waits for a person, oldest first. */
  open(limit: number): OpenConflict[] {
    return this.#catalog.prepare(sql.OPEN_CONFLICTS).all(limit) as OpenConflict[];
  }

  /** A person has looked at the conflicts of a study, or of all; returns how many. No report changes by that. */
  settle(studyInstanceUid: string | undefined): number {
    const at = Date.now();
    const event = eventWriter(this.#catalog);
    return this.#catalog
      .transaction(() => {
        const row = { at, studyInstanceUid: studyInstanceUid ?? null };
        const settled = this.#catalog.prepare(sql.SETTLE_CONFLICTS).all(row) as {
          kind: ConflictKind;
          studyInstanceUid: string;
        }[];
        for (const uid of new Set(settled.map((one) => one.studyInstanceUid))) {
          const own = settled.filter((one) => one.studyInstanceUid === uid);
          const kinds = [...new Set(own.map(({ kind }) => kind))];
          const detail = { images: own.length, kinds };
          event({ at, kind: 'conflicts-settled', studyInstanceUid: uid, detail });
        }
        return settled.length;
      })
      .immediate();
  }

  #apartSeries(studyInstanceUid: string): StudyConflicts['series'] {
    const rows = this.#catalog.prepare(sql.APART_SERIES).all({ studyInstanceUid }) as {
      seriesInstanceUid: string;
      modality: string | null;
      seriesNumber: number | null;
      instances: number;
      kind: ConflictKind;
    }[];
    return rows
      .filter(({ kind }) => raisesDoubt(kind))
      .map(({ seriesInstanceUid, modality, seriesNumber, instances, kind }) => ({
        seriesInstanceUid,
        ...(modality === null ? {} : { modality }),
        ...(seriesNumber === null ? {} : { seriesNumber }),
        instances,
        verdict: 'not-eligible',
        reason: conflictReason(kind),
      }));
  }
}

/** Returns what tells whose a study is; undefined for one that is not in the catalog. */
export function studyPatient(
  catalog: Catalog,
): (studyInstanceUid: string) => PatientIdentity | undefined {
  const select = catalog.prepare<[string], PatientRow>(sql.SELECT_STUDY_PATIENT);
  return (studyInstanceUid) => {
    const row = select.get(studyInstanceUid);
    if (row === undefined) return undefined;
    const { id, issuer, birthDate, sex } = row;
    return {
      id: id ?? '',
      ...(issuer === null ? {} : { issuer }),
      ...(birthDate === null ? {} : { birthDate }),
      ...(sex === null ? {} : { sex }),
    };
  };
}
