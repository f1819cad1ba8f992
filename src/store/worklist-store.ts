import { personName } from '../dicom/person-name.js';
import type { ClassName, Finding, Outcome } from '../domain/finding.js';
import { slicePosition } from '../domain/geometry.js';
import type { Frame, InstanceHeader } from '../domain/instance.js';
import { urgencyOf } from '../domain/urgency.js';
import type { Catalog } from './database.js';
import * as sql from './worklist-queries.js';

export type StudyProgress =
  | 'receiving'
  | 'waiting'
  | 'analysing'
  | 'reporting'
  | 'reported'
  | 'stuck';

/** What is looked for; times are milliseconds since the epoch. */
export interface WorklistSearch {
  readonly text?: string | undefined;
  readonly outcome?: readonly Outcome[] | undefined;
  readonly state?: readonly StudyProgress[] | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

interface ListedRow {
  readonly number: number;
  readonly studyInstanceUid: string;
  readonly patientName: string | null;
  readonly patientId: string | null;
  readonly birthDate: string | null;
  readonly sex: string | null;
  readonly accessionNumber: string | null;
  readonly studyDescription: string | null;
  readonly receivedAt: number;
  readonly outcome: Outcome | null;
  readonly probability: number | null;
  readonly leadingClass: ClassName | null;
  readonly lastSliceAt: number;
  readonly sourceAeTitle: string;
  readonly state: StudyProgress;
  readonly unsent: string | null;
}

interface DeliveryCounts {
  readonly due: number;
  readonly stored: number;
  readonly delivered: number;
  readonly dead: number;
}

const UID = /^[0-9]+(\.[0-9]+)+$/;

/** The list of studies as people read it, from the catalog's rows. */
export class WorklistStore {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** A page, newest first, and the cursor of the next one. */
  search(search: WorklistSearch) {
    const { text = '', outcome, cursor, limit } = search;
    if (UID.test(text.trim()) && text.includes('.')) {
      const one = this.study(text.trim());
      return { studies: one === undefined ? [] : [one], next: null };
    }
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
    // A cursor that nobody was given, or a text without any letter, finds nothing.
    const match = matchOf(text);
    if (!Number.isSafeInteger(before) || match === '') return { studies: [], next: null };
    const outcomes = outcome === undefined ? [undefined] : [...new Set(outcome)];
    const rows = outcomes
      .flatMap((one) => this.#page(search, before, match, one))
      .sort((a, b) => b.number - a.number);
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      studies: page.map((row) => this.#summary(row)),
      next: last === undefined ? null : String(last.number),
    };
  }

  /** As a page has it, or undefined where it is not in the catalog. */
  study(studyInstanceUid: string) {
    const row = this.#catalog.prepare(sql.LISTED_STUDY).get(studyInstanceUid);
    return row === undefined ? undefined : this.#summary(row as ListedRow);
  }

  /** The slices of a series in the order of reading; none where the study has no such series. */
  slices(study: string, series: string) {
    const rows = this.#catalog.prepare(sql.SERIES_HEADERS).all({ study, series }) as {
      header: string;
    }[];
    return rows
      .map(({ header }) => JSON.parse(header) as InstanceHeader)
      .flatMap(({ sopInstanceUid, instanceNumber, frames }) =>
        frames.map((frame, i) => ({
          sopInstanceUid,
          frame: i + 1,
          instanceNumber: instanceNumber ?? null,
          positionMm: positionOf(frame),
        })),
      )
      .sort(
        (a, b) =>
          (a.positionMm ?? 0) - (b.positionMm ?? 0) ||
          (a.instanceNumber ?? 0) - (b.instanceNumber ?? 0) ||
          a.frame - b.frame,
      );
  }

  /** An instance's file, relative to the storage folder, with the geometry of one frame. */
  slice(place: { study: string; series: string; instance: string }, frame: number) {
    const row = this.#catalog.prepare(sql.INSTANCE_OF_SERIES).get(place) as
      | { file: string; header: string }
      | undefined;
    if (row === undefined) return undefined;
    const geometry = (JSON.parse(row.header) as InstanceHeader).frames[frame - 1];
    return geometry && { file: row.file, geometry };
  }

  /** The heat map that an analysis has for a slice. */
  heatMap(study: string, revision: number, instance: string, frame: number) {
    const row = this.#catalog.prepare(sql.FINDING_OF_REVISION).get({ study, revision }) as
      | { finding: string }
      | undefined;
    const { keySlices = [] } = row === undefined ? {} : (JSON.parse(row.finding) as Finding);
    const found = keySlices.find(
      ({ source }) => source.sopInstanceUid === instance && (source.frame ?? 1) === frame,
    );
    return found?.heatMap;
  }

  /** The file of an object or instance, relative to the storage folder. */
  object(uid: string) {
    return this.#catalog.prepare(sql.OBJECT_FILE).get({ uid }) as
      | { readonly file: string; readonly kind: string; readonly studyInstanceUid: string }
      | undefined;
  }

  #page(
    { state, since, until, limit }: WorklistSearch,
    before: number,
    match: string | undefined,
    outcome: Outcome | undefined,
  ): ListedRow[] {
    const from = since === undefined ? 0 : this.#numberSince(since);
    if (from === undefined) return [];
    const states = state === undefined ? 'all' : state.includes('reported') ? 'some' : 'under-way';
    const filter = { text: match !== undefined, outcome: outcome !== undefined, states } as const;
    return this.#catalog.prepare(sql.pageQuery(filter)).all({
      before,
      from,
      since: since ?? 0,
      until: until ?? Number.MAX_SAFE_INTEGER,
      limit: limit + 1,
      ...(match !== undefined && { text: match }),
      ...(outcome !== undefined && { outcome }),
      ...(state !== undefined && { states: JSON.stringify(state) }),
    }) as ListedRow[];
  }

  #numberSince(since: number): number | undefined {
    const row = this.#catalog.prepare(sql.NUMBER_SINCE).get(since) as
      | { number: number }
      | undefined;
    return row?.number;
  }

  #summary({ number: _, ...row }: ListedRow) {
    const { patientName, patientId, birthDate, sex, ...rest } = row;
    const uid = row.studyInstanceUid;
    const one = <Row>(query: string, parameters: unknown) =>
      this.#catalog.prepare(query).get(parameters) as Row;
    const ms = one<{ ms: number | null }>(sql.STUDY_MS_TO_REPORT, { uid }).ms;
    return {
      ...rest,
      patient: {
        name: patientName === null ? null : personName(patientName),
        id: patientId,
        birthDate,
        sex,
      },
      urgency: row.outcome === null ? null : urgencyOf(row.outcome),
      slices: one<{ n: number }>(sql.STUDY_SLICES, uid).n,
      msToReport: ms,
      delivery: one<DeliveryCounts>(sql.STUDY_DELIVERY_COUNTS, uid),
      conflicts: one<{ n: number }>(sql.STUDY_OPEN_CONFLICTS, { uid }).n,
    };
  }
}

/** Beginnings of words, all of which must be there; undefined of nothing, empty of what has no letter. */
function matchOf(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  const words = text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return words.map((word) => `"${word}"*`).join(' ');
}

function positionOf(frame: Frame): number | null {
  const { imagePositionPatient: position, imageOrientationPatient: orientation } = frame;
  return position && orientation ? slicePosition(position, orientation) : null;
}
