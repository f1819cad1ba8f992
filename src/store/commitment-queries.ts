/** The SQL of storage commitment: what scanners asked for, and what was reported to them. */

export const INSERT_COMMITMENT = `
  INSERT INTO commitment (transaction_uid, association_id, calling_ae_title, called_ae_title, requested_at, instances,
                          state, due_at)
  VALUES (:transactionUid, :associationId, :callingAeTitle, :calledAeTitle, :requestedAt, :instances, 'due', :dueAt)
  ON CONFLICT (transaction_uid) DO NOTHING`;

export const INSERT_COMMITMENT_INSTANCE = `
  INSERT INTO commitment_instance (transaction_uid, sop_instance_uid, sop_class_uid)
  VALUES (:transactionUid, :sopInstanceUid, :sopClassUid)`;

export const PENDING_INSTANCES = `
  SELECT coalesce(sum(instances), 0) AS pending FROM commitment WHERE state = 'due'`;

/** A request that comes again, such as after a lost response, is reported again. */
export const REPEAT_COMMITMENT = `
  UPDATE commitment SET state = 'due', association_id = :associationId, attempts = 0, due_at = :dueAt,
    settled_at = NULL, failure_code = NULL
  WHERE transaction_uid = :transactionUid AND calling_ae_title = :callingAeTitle`;

export const COMMITMENT_INSTANCES = `
  SELECT sop_instance_uid AS sopInstanceUid, sop_class_uid AS sopClassUid
  FROM commitment_instance WHERE transaction_uid = ? ORDER BY sop_instance_uid`;

/** Of each requestor the one that is due first: SQLite takes the other columns from the row of the minimum. */
export const DUE_COMMITMENTS = `
  SELECT transaction_uid AS transactionUid, association_id AS associationId, calling_ae_title AS callingAeTitle,
    called_ae_title AS calledAeTitle, attempts, min(due_at) AS dueAt
  FROM commitment WHERE state = 'due' GROUP BY calling_ae_title`;

export const SET_FAILURE_REASON = `
  UPDATE commitment_instance SET failure_reason = :failureReason
  WHERE transaction_uid = :transactionUid AND sop_instance_uid = :sopInstanceUid`;

export const SETTLE_COMMITMENT = `
  UPDATE commitment SET state = :state, attempts = attempts + 1, due_at = coalesce(:dueAt, due_at),
    settled_at = :settledAt, failure_code = :failureCode, failed = :failed
  WHERE transaction_uid = :transactionUid AND state = 'due'`;

export const STORED_INSTANCE = `
  SELECT i.sop_class_uid AS sopClassUid, i.sha256, i.bytes, i.file, s.study_instance_uid AS studyInstanceUid
  FROM instance i JOIN series s USING (series_instance_uid) WHERE i.sop_instance_uid = ?`;

/** The studies of which a request names instances that are here. */
export const COMMITMENT_STUDIES = `
  SELECT DISTINCT s.study_instance_uid AS studyInstanceUid
  FROM commitment_instance c JOIN instance i USING (sop_instance_uid)
    JOIN series s ON s.series_instance_uid = i.series_instance_uid
  WHERE c.transaction_uid = ?`;

export const COMMITMENT_SERIES = `
  SELECT DISTINCT i.series_instance_uid AS seriesInstanceUid
  FROM commitment_instance c JOIN instance i USING (sop_instance_uid) WHERE c.transaction_uid = ?`;

/**
 * What requests that touch a series name as its own: instances of it, and such that never came. Those could be of
 * another series of the request, but not where their SOP class is none of this one's.
 */
export const LISTED_INSTANCES = `
  SELECT DISTINCT c.sop_instance_uid AS uid
  FROM commitment_instance c LEFT JOIN instance i ON i.sop_instance_uid = c.sop_instance_uid
  WHERE c.transaction_uid IN (
      SELECT own.transaction_uid FROM instance m JOIN commitment_instance own USING (sop_instance_uid)
      WHERE m.series_instance_uid = :seriesInstanceUid)
    AND (i.series_instance_uid = :seriesInstanceUid
      OR i.sop_instance_uid IS NULL AND c.sop_class_uid IN (
        SELECT sop_class_uid FROM instance WHERE series_instance_uid = :seriesInstanceUid))`;

export const STUDY_COMMITMENTS = `
  SELECT c.transaction_uid AS transactionUid, c.calling_ae_title AS callingAeTitle, c.requested_at AS requestedAt,
    c.instances, c.state, c.attempts, c.due_at AS dueAt, c.settled_at AS settledAt, c.failed,
    c.failure_code AS failureCode
  FROM commitment c WHERE c.transaction_uid IN (
    SELECT ci.transaction_uid FROM series s JOIN instance i USING (series_instance_uid)
      JOIN commitment_instance ci USING (sop_instance_uid)
    WHERE s.study_instance_uid = ?)
  ORDER BY c.requested_at, c.transaction_uid`;

export const DELETE_OLD_COMMITMENTS = `
  DELETE FROM commitment WHERE state <> 'due' AND settled_at < :before AND NOT EXISTS (
    SELECT 1 FROM commitment_instance c JOIN instance i USING (sop_instance_uid)
    WHERE c.transaction_uid = commitment.transaction_uid)`;
