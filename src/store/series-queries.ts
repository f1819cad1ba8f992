/**
 * The SQL of series: whether they are whole, and which are read. State changes are compare-and-set: they name the
 * state they start from.
 */

export const RECEIVING_SERIES = `
  SELECT series_instance_uid AS uid FROM series WHERE state = 'receiving'`;

export const SERIES_TIMES = `
  SELECT first_instance_at AS firstInstanceAt, last_instance_at AS lastInstanceAt
  FROM series WHERE series_instance_uid = ? AND state = 'receiving'`;

export const SERIES_INSTANCES = `
  SELECT i.header, i.file, i.sha256, i.received_at AS receivedAt, i.association_id AS associationId
  FROM instance i WHERE i.series_instance_uid = ? ORDER BY i.received_at, i.sop_instance_uid`;

export const ASSOCIATION_END = 'SELECT ended FROM association WHERE association_id = ?';

export const COMPLETE_SERIES = `
  UPDATE series SET state = 'complete', completed_at = :at, completion_confidence = :confidence,
    completion_code = :code, completion_text = :text
  WHERE series_instance_uid = :seriesInstanceUid AND state = 'receiving'
  RETURNING study_instance_uid AS studyInstanceUid`;

export const SET_SELECTION_DUE = `
  UPDATE study SET selection_due_at = :at WHERE study_instance_uid = :studyInstanceUid`;

export const SELECTION_DUE = `
  SELECT study_instance_uid AS studyInstanceUid, last_instance_at AS lastInstanceAt
  FROM study WHERE selection_due_at <= :now ORDER BY selection_due_at LIMIT 1`;

export const NEXT_SELECTION = `
  SELECT min(selection_due_at) AS dueAt FROM study WHERE selection_due_at IS NOT NULL`;

export const STUDY_SERIES = `
  SELECT series_instance_uid AS seriesInstanceUid, modality, series_number AS seriesNumber, state, revision,
    instances, last_instance_at AS lastInstanceAt, completed_at AS completedAt,
    completion_confidence AS confidence, completion_code AS completionCode, completion_text AS completionText,
    verdict, verdict_code AS verdictCode, verdict_text AS verdictText,
    refusal_code AS refusalCode, refusal_text AS refusalText,
    EXISTS (SELECT 1 FROM result_object r WHERE r.series_instance_uid = s.series_instance_uid
      AND r.kind <> 'original') AS own
  FROM series s WHERE study_instance_uid = ? ORDER BY first_instance_at, series_instance_uid`;

export const SET_VERDICT = `
  UPDATE series SET verdict = :verdict, verdict_code = :code, verdict_text = :text
  WHERE series_instance_uid = :seriesInstanceUid`;

export const SETTLE_SELECTION = `
  UPDATE study SET selection_due_at = :dueAt
  WHERE study_instance_uid = :studyInstanceUid AND selection_due_at <= :claimedAt`;
