import { conflictReason } from '../domain/conflict.js';
import type { Finding } from '../domain/finding.js';
import type { Catalog } from './database.js';
import { type AnalysisLine, StatusStore, type StudyDetail } from './status-store.js';
import * as sql from './worklist-queries.js';
import { WorklistStore } from './worklist-store.js';

interface Arrival {
  readonly seriesInstanceUid: string;
  readonly at: number;
  readonly until: number;
  readonly slices: number;
  readonly callingAeTitle: string | null;
  readonly address: string | null;
  readonly ended: string | null;
}

/** Everything that people see of one study, or undefined where it is not in the catalog. */
export function studyDetail(catalog: Catalog, studyInstanceUid: string) {
  const listed = new WorklistStore(catalog).study(studyInstanceUid);
  const rows = new StatusStore(catalog).study(studyInstanceUid);
  if (listed === undefined || rows === undefined) return undefined;
  const labels = catalog.prepare(sql.SERIES_LABELS);
  const arrivals = catalog.prepare(sql.STUDY_ARRIVALS).all(studyInstanceUid) as Arrival[];
  return {
    ...listed,
    series: rows.series.map((series) => ({
      ...seriesDetail(series),
      ...labelsOf(labels.get(series.seriesInstanceUid)),
    })),
    analyses: rows.analyses.map(analysisDetail),
    objects: rows.objects.map(({ file: _, sopClassUid: __, ...object }) => object),
    deliveries: rows.deliveries.map(
      ({ deliveryId: id, looks: _, failureClass: __, ...delivery }) => ({ id, ...delivery }),
    ),
    openConflicts: rows.conflicts.map(({ sopInstanceUid, kind, receivedAt, settledAt }) => ({
      sopInstanceUid,
      kind,
      text: conflictReason(kind).text,
      receivedAt,
      settledAt,
    })),
    damagedFiles: rows.damage.length,
    timeline: [
      ...arrivals.map(({ seriesInstanceUid, at, ...detail }) => ({
        at,
        kind: 'slices-received',
        seriesInstanceUid,
        detail,
      })),
      ...rows.events.map(({ associationId: _, ...event }) => event),
    ].sort((a, b) => a.at - b.at),
  };
}

function labelsOf(row: unknown) {
  const { description, kernel, thicknessMm } = (row ?? {}) as {
    description?: string | null;
    kernel?: string | null;
    thicknessMm?: number | null;
  };
  return {
    description: description ?? null,
    kernel: kernel ?? null,
    thicknessMm: thicknessMm ?? null,
  };
}

function seriesDetail(series: StudyDetail['series'][number]) {
  const { seriesInstanceUid, seriesNumber, modality, instances, own } = series;
  const { verdict, verdictCode, verdictText, state, confidence } = series;
  return {
    seriesInstanceUid,
    number: seriesNumber,
    modality,
    slices: instances,
    own,
    eligibility: { verdict, reasons: reasons(verdictCode, verdictText) },
    completion: {
      complete: state === 'complete',
      confidence,
      reason: reasons(series.completionCode, series.completionText)[0] ?? null,
    },
  };
}

function reasons(code: string | null, text: string | null) {
  return code === null ? [] : [{ code, text: text ?? code }];
}

function analysisDetail(line: AnalysisLine) {
  const { analysisId, triggerCode, triggerText, finding, routing, secondReadings, ...rest } = line;
  return {
    ...rest,
    id: analysisId,
    trigger: { code: triggerCode, text: triggerText },
    reason: finding?.reason ?? null,
    model: finding === null ? null : modelOf(finding),
    classes: finding === null ? [] : classesOf(finding),
    keySlices: (finding?.keySlices ?? []).map(({ source, ...keySlice }) => ({
      ...keySlice,
      sopInstanceUid: source.sopInstanceUid,
      frame: source.frame ?? null,
    })),
    slices: (finding?.slices ?? []).map(({ source, positionMm, probabilities }) => ({
      sopInstanceUid: source.sopInstanceUid,
      frame: source.frame ?? null,
      positionMm,
      probabilities: [...probabilities],
    })),
    routes: routing === null ? null : [...routing.routes],
    unsent: routing?.unsent ?? null,
    secondReadings: secondReadings.map(({ reader, readAt, finding }) => ({
      reader,
      model: modelOf(finding),
      readAt,
      outcome: finding.outcome,
      reason: finding.reason ?? null,
      classes: classesOf(finding),
    })),
  };
}

function modelOf({ model: { name, version, hash } }: Pick<Finding, 'model'>) {
  return { name, version, hash };
}

function classesOf({ classes }: Pick<Finding, 'classes'>) {
  return classes.map(({ logit: _, ...result }) => result);
}
