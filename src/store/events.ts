import type { Catalog } from './database.js';

const INSERT_EVENT = `
  INSERT INTO event (at, kind, study_instance_uid, series_instance_uid, association_id, detail)
  VALUES (:at, :kind, :studyInstanceUid, :seriesInstanceUid, :associationId, :detail)`;

/** Everything that the catalog writes down about what happened and why; the detail holds no patient data. */
export interface CatalogEvent {
  readonly at: number;
  readonly kind:
    | 'association-closed'
    | 'conflict'
    | 'conflicts-settled'
    | 'series-complete'
    | 'series-reopened'
    | 'series-chosen'
    | 'series-refused'
    | 'analysis-finished'
    | 'analysis-retried'
    | 'second-reading'
    | 'inference-lost'
    | 'reported'
    | 'unsent'
    | 'report-stuck'
    | 'report-lost'
    | 'pictures-failed'
    | 'stored'
    | 'delivered'
    | 'delivery-retried'
    | 'delivery-replaced'
    | 'delivery-dead'
    | 'delivery-abandoned'
    | 'resend'
    | 'reanalyse'
    | 'recovered'
    | 'study-removed'
    | 'file-damaged'
    | 'file-restored'
    | 'commitment-requested'
    | 'commitment-reported'
    | 'commitment-dead'
    | 'step-completed'
    | 'step-discontinued';
  readonly studyInstanceUid?: string | undefined;
  readonly seriesInstanceUid?: string | undefined;
  readonly associationId?: number | undefined;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Returns the writer of events; call it inside the transaction that makes the event true. */
export function eventWriter(catalog: Catalog): (event: CatalogEvent) => void {
  const insert = catalog.prepare(INSERT_EVENT);
  return (event) => {
    insert.run({
      at: event.at,
      kind: event.kind,
      studyInstanceUid: event.studyInstanceUid ?? null,
      seriesInstanceUid: event.seriesInstanceUid ?? null,
      associationId: event.associationId ?? null,
      detail: JSON.stringify(event.detail ?? {}),
    });
  };
}
