import { type ConflictKind, needsSettling, raisesDoubt } from '../domain/conflict.js';
import type { InstanceHeader } from '../domain/instance.js';
import type {
  AssociationEnd,
  OpenedAssociation,
  ReceivedInstance,
} from '../domain/received-instance.js';
import { conflictFinder, type FoundConflict } from './conflict-finder.js';
import * as conflictSql from './conflict-queries.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import * as sql from './ingest-queries.js';

/** What became of a received instance; a duplicate is one that another of the same group has made needless. */
export type Placed =
  | {
      readonly received: ReceivedInstance;
      readonly verdict: 'stored' | 'conflict';
      readonly path: string;
    }
  | { readonly received: ReceivedInstance; readonly verdict: 'duplicate' };

/** What waits for its rows. */
export type Pending =
  | { readonly type: 'instance'; readonly received: ReceivedInstance }
  | ({ readonly type: 'repetition' } & Repetition)
  | { readonly type: 'opened'; readonly association: OpenedAssociation }
  | {
      readonly type: 'closed';
      readonly associationId: number;
      readonly ended: AssociationEnd;
      readonly closedAt: number;
    };

/** An association has carried an instance again. */
export interface Repetition {
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly associationId: number;
}

export interface RaisedConflict {
  readonly kind: ConflictKind;
  readonly studyInstanceUid: string;
  readonly sopInstanceUid: string;
}

/** What a group brought: the series with new instances, and the associations that ended. */
export interface CommittedChange {
  readonly instances: readonly ReceivedInstance[];
  readonly conflicts: readonly RaisedConflict[];
  readonly repetitions: readonly Repetition[];
  /** Series that are judged again though they got nothing new. */
  readonly reopened: readonly string[];
  readonly closedAssociations: readonly number[];
}

/** Where the files of a group go, and what two of them say of each other. */
export interface GroupFiles {
  /** Path of an instance, relative to the storage folder. */
  instancePath(header: InstanceHeader): string;
  conflictPath(header: InstanceHeader, sha256: string): string;
  /** Whether two files hold the same image; paths are absolute or relative to the storage folder. */
  isSameImage(one: string, other: string): boolean;
}

/** Returns what commits a group in one transaction, and says where each file belongs. */
export function groupCommitter(
  catalog: Catalog,
  files: GroupFiles,
): (group: readonly Pending[]) => CommittedChange & { readonly placed: readonly Placed[] } {
  const event = eventWriter(catalog);
  const openAssociation = catalog.prepare(sql.INSERT_ASSOCIATION);
  const closeAssociation = catalog.prepare(sql.CLOSE_ASSOCIATION);
  const findConflict = conflictFinder(catalog);
  const upsertStudy = catalog.prepare(sql.UPSERT_STUDY);
  const setSelectionDue = catalog.prepare(conflictSql.SET_SELECTION_DUE_ONCE);
  const selectSeries = catalog.prepare(sql.SELECT_SERIES);
  const insertSeries = catalog.prepare(sql.INSERT_SERIES);
  const reopenSeries = catalog.prepare(sql.REOPEN_SERIES);
  const reopenRepeated = catalog.prepare<
    object,
    { seriesInstanceUid: string; studyInstanceUid: string }
  >(sql.REOPEN_REPEATED_SERIES);
  const insertRepetition = catalog.prepare(sql.INSERT_REPETITION);
  const countInstance = catalog.prepare(sql.COUNT_INSTANCE_IN_SERIES);
  const insertInstance = catalog.prepare(sql.INSERT_INSTANCE);
  const insertConflict = catalog.prepare(conflictSql.INSERT_CONFLICT);

  const studyRow = (received: ReceivedInstance) => {
    const { header, callingAeTitle, calledAeTitle, receivedAt } = received;
    const { id, issuer = null, birthDate = null, sex = null } = header.patient;
    const { studyInstanceUid } = header;
    const ae = { callingAeTitle, calledAeTitle };
    return { studyInstanceUid, id, issuer, birthDate, sex, ...ae, receivedAt };
  };

  const store = (received: ReceivedInstance, path: string) => {
    const { header, receivedAt, associationId } = received;
    const { studyInstanceUid, seriesInstanceUid } = header;
    upsertStudy.run({ ...studyRow(received), agrees: 1 });
    if (selectSeries.get(seriesInstanceUid) === undefined) {
      insertSeries.run({
        seriesInstanceUid,
        studyInstanceUid,
        modality: header.modality ?? null,
        seriesNumber: header.seriesNumber ?? null,
        receivedAt,
      });
    } else if (reopenSeries.run({ seriesInstanceUid, receivedAt }).changes > 0) {
      event({
        at: receivedAt,
        kind: 'series-reopened',
        studyInstanceUid,
        seriesInstanceUid,
        associationId,
      });
    }
    countInstance.run({ seriesInstanceUid, receivedAt });
    insertInstance.run({
      sopInstanceUid: header.sopInstanceUid,
      seriesInstanceUid,
      sopClassUid: header.sopClassUid,
      transferSyntaxUid: header.transferSyntaxUid,
      sha256: received.sha256,
      bytes: received.bytes,
      file: path,
      associationId,
      receivedAt,
      header: JSON.stringify(header),
    });
  };

  /** Keeps an image apart from those that are read; returns undefined where it is kept already. */
  const keepApart = (
    received: ReceivedInstance,
    { kind, firstStudyInstanceUid }: FoundConflict,
    path: string,
  ): RaisedConflict | undefined => {
    const { header, sha256, associationId, receivedAt } = received;
    const { sopInstanceUid, seriesInstanceUid } = header;
    // A report that a PACS has filed elsewhere makes no study there.
    const isReport = kind === 'report-refiled';
    const studyInstanceUid = isReport ? firstStudyInstanceUid : header.studyInstanceUid;
    const row = { sopInstanceUid, studyInstanceUid, firstStudyInstanceUid, kind, sha256 };
    const { changes } = insertConflict.run({
      ...row,
      file: path,
      header: JSON.stringify(header),
      associationId,
      receivedAt,
      settledAt: needsSettling(kind) ? null : receivedAt,
    });
    if (changes === 0) return undefined;
    if (raisesDoubt(kind)) upsertStudy.run({ ...studyRow(received), agrees: 0 });
    for (const uid of new Set([studyInstanceUid, firstStudyInstanceUid])) {
      if (raisesDoubt(kind)) setSelectionDue.run({ studyInstanceUid: uid, at: receivedAt });
      event({
        at: receivedAt,
        kind: 'conflict',
        studyInstanceUid: uid,
        seriesInstanceUid,
        associationId,
        detail: { conflict: kind, sopInstanceUid },
      });
    }
    return { kind, studyInstanceUid, sopInstanceUid };
  };

  return catalog.transaction((group: readonly Pending[]) => {
    const instances: ReceivedInstance[] = [];
    const conflicts: RaisedConflict[] = [];
    const repetitions: Repetition[] = [];
    const reopened: string[] = [];
    const closedAssociations: number[] = [];
    const placed: Placed[] = [];
    /** Where the files of this group still are, by the place that they will have. */
    const incoming = new Map<string, string>();

    const take = (received: ReceivedInstance): Placed => {
      const { header, file, sha256 } = received;
      const found = findConflict(header, (first) =>
        files.isSameImage(file, incoming.get(first) ?? first),
      );
      if (found === undefined) {
        const path = files.instancePath(header);
        store(received, path);
        incoming.set(path, file);
        instances.push(received);
        return { received, verdict: 'stored', path };
      }
      const path = files.conflictPath(header, sha256);
      const conflict = keepApart(received, found, path);
      if (conflict === undefined) return { received, verdict: 'duplicate' };
      conflicts.push(conflict);
      return { received, verdict: 'conflict', path };
    };

    for (const entry of group) {
      if (entry.type === 'opened') {
        openAssociation.run(entry.association);
      } else if (entry.type === 'closed') {
        const { associationId, ended, closedAt } = entry;
        closeAssociation.run({ associationId, ended, closedAt });
        closedAssociations.push(associationId);
        if (ended !== 'released') {
          event({ at: closedAt, kind: 'association-closed', associationId, detail: { ended } });
          continue;
        }
        for (const series of reopenRepeated.all({ associationId, at: closedAt })) {
          reopened.push(series.seriesInstanceUid);
          event({ at: closedAt, kind: 'series-reopened', associationId, ...series });
        }
      } else if (entry.type === 'repetition') {
        const { sopInstanceUid, associationId } = entry;
        if (insertRepetition.run({ sopInstanceUid, associationId }).changes > 0) {
          repetitions.push(entry);
        }
      } else {
        placed.push(take(entry.received));
      }
    }
    return { instances, conflicts, repetitions, reopened, closedAssociations, placed };
  }).immediate;
}
