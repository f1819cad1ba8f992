import type {
  AssociationEnd,
  OpenedAssociation,
  ReceivedInstance,
} from '../domain/received-instance.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import * as sql from './queries.js';

/** An instance and where its file goes. */
export interface Placed {
  readonly received: ReceivedInstance;
  readonly verdict: 'stored' | 'conflict';
  readonly path: string;
}

/** What waits for its rows. */
export type Pending =
  | ({ readonly type: 'instance' } & Placed)
  | { readonly type: 'opened'; readonly association: OpenedAssociation }
  | {
      readonly type: 'closed';
      readonly associationId: number;
      readonly ended: AssociationEnd;
      readonly closedAt: number;
    };

/** What a group brought: the series with new instances, and the associations that ended. */
export interface CommittedChange {
  readonly instances: readonly ReceivedInstance[];
  readonly conflicts: readonly ReceivedInstance[];
  readonly closedAssociations: readonly number[];
}

/** Returns what commits a group in one transaction. */
export function groupCommitter(catalog: Catalog): (group: readonly Pending[]) => CommittedChange {
  const event = eventWriter(catalog);
  const openAssociation = catalog.prepare(sql.INSERT_ASSOCIATION);
  const closeAssociation = catalog.prepare(sql.CLOSE_ASSOCIATION);
  const upsertStudy = catalog.prepare(sql.UPSERT_STUDY);
  const selectSeries = catalog.prepare(sql.SELECT_SERIES_STATE);
  const insertSeries = catalog.prepare(sql.INSERT_SERIES);
  const reopenSeries = catalog.prepare(sql.REOPEN_SERIES);
  const countInstance = catalog.prepare(sql.COUNT_INSTANCE_IN_SERIES);
  const insertInstance = catalog.prepare(sql.INSERT_INSTANCE);
  const insertConflict = catalog.prepare(sql.INSERT_CONFLICT);

  const raiseConflict = (kind: string, { received, path }: Placed, ownFile: boolean) => {
    const { header, sha256, associationId, receivedAt } = received;
    const { sopInstanceUid, studyInstanceUid, seriesInstanceUid } = header;
    const file = ownFile ? path : null;
    const row = { sopInstanceUid, studyInstanceUid, kind, sha256, file, associationId, receivedAt };
    if (insertConflict.run(row).changes === 0) return;
    event({
      at: receivedAt,
      kind: 'conflict',
      studyInstanceUid,
      seriesInstanceUid,
      associationId,
      detail: { conflict: kind, sopInstanceUid },
    });
  };

  const store = (placed: Placed) => {
    const { header, receivedAt, associationId } = placed.received;
    const { studyInstanceUid, seriesInstanceUid } = header;
    const study = upsertStudy.get({
      studyInstanceUid,
      patientKey: header.patientKey,
      callingAeTitle: placed.received.callingAeTitle,
      calledAeTitle: placed.received.calledAeTitle,
      receivedAt,
    }) as { patientKey: string };
    if (study.patientKey !== header.patientKey) raiseConflict('study-patient', placed, false);
    const series = selectSeries.get(seriesInstanceUid) as
      | { state: string; studyInstanceUid: string }
      | undefined;
    if (series === undefined) {
      insertSeries.run({
        seriesInstanceUid,
        studyInstanceUid,
        modality: header.modality ?? null,
        seriesNumber: header.seriesNumber ?? null,
        receivedAt,
      });
    } else {
      if (series.studyInstanceUid !== studyInstanceUid)
        raiseConflict('series-study', placed, false);
      if (reopenSeries.run({ seriesInstanceUid, receivedAt }).changes > 0) {
        event({
          at: receivedAt,
          kind: 'series-reopened',
          studyInstanceUid,
          seriesInstanceUid,
          associationId,
        });
      }
    }
    countInstance.run({ seriesInstanceUid, receivedAt });
    insertInstance.run({
      sopInstanceUid: header.sopInstanceUid,
      seriesInstanceUid,
      sopClassUid: header.sopClassUid,
      transferSyntaxUid: header.transferSyntaxUid,
      sha256: placed.received.sha256,
      bytes: placed.received.bytes,
      file: placed.path,
      associationId,
      receivedAt,
      header: JSON.stringify(header),
    });
  };

  return catalog.transaction((group: readonly Pending[]): CommittedChange => {
    const instances: ReceivedInstance[] = [];
    const conflicts: ReceivedInstance[] = [];
    const closedAssociations: number[] = [];
    for (const entry of group) {
      if (entry.type === 'opened') {
        openAssociation.run(entry.association);
      } else if (entry.type === 'closed') {
        const { associationId, ended, closedAt } = entry;
        closeAssociation.run({ associationId, ended, closedAt });
        closedAssociations.push(associationId);
        if (ended !== 'released') {
          event({ at: closedAt, kind: 'association-closed', associationId, detail: { ended } });
        }
      } else if (entry.verdict === 'stored') {
        store(entry);
        instances.push(entry.received);
      } else {
        raiseConflict('instance-bytes', entry, true);
        conflicts.push(entry.received);
      }
    }
    return { instances, conflicts, closedAssociations };
  }).immediate;
}
