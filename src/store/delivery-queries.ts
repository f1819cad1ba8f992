/**
 * The SQL of deliveries and their proofs. State changes are compare-and-set: they name the
 * state they start from.
 */

export const INSERT_DELIVERY = `
  INSERT INTO delivery (sop_instance_uid, destination, route, priority, transfer_syntax, state, created_at, due_at)
  VALUES (:sopInstanceUid, :destination, :route, :priority, :transferSyntax, 'due', :at, :at)
  ON CONFLICT (sop_instance_uid, destination) DO NOTHING`;

export const CLAIM_DELIVERIES = `
  UPDATE delivery SET state = 'sending', attempts = attempts + 1
  WHERE state = 'due' AND delivery_id IN (
    SELECT delivery_id FROM delivery WHERE state = 'due' AND destination = :destination AND due_at <= :now
    ORDER BY iif(:suspectsLast AND failure_class = 'ambiguous', due_at, 0), priority, delivery_id LIMIT :limit)
  RETURNING delivery_id AS deliveryId, sop_instance_uid AS sopInstanceUid, attempts, looks, priority,
    transfer_syntax AS transferSyntax, iif(:suspectsLast AND failure_class = 'ambiguous', due_at, 0) AS suspectSince`;

/** A later revision's notification to the same channel takes the place of an earlier one that is not told yet. */
export const REPLACE_OUTDATED_NOTIFICATIONS = `
  UPDATE delivery SET state = 'replaced', settled_at = :at
  WHERE delivery_id IN (
    SELECT d.delivery_id
    FROM delivery d JOIN result_object r USING (sop_instance_uid) JOIN analysis a USING (analysis_id)
    WHERE d.state = 'due' AND d.destination = :channel AND r.kind = 'notification' AND EXISTS (
      SELECT 1 FROM analysis later JOIN result_object s ON s.analysis_id = later.analysis_id
        JOIN delivery e ON e.sop_instance_uid = s.sop_instance_uid
      WHERE later.study_instance_uid = a.study_instance_uid AND later.revision > a.revision
        AND s.kind = 'notification' AND e.destination = d.destination AND e.state <> 'abandoned'))
  RETURNING sop_instance_uid AS sopInstanceUid, (SELECT a.study_instance_uid FROM result_object r
    JOIN analysis a USING (analysis_id) WHERE r.sop_instance_uid = delivery.sop_instance_uid) AS studyInstanceUid`;

/** The destination takes objects again: what only waited for that goes at once, and so in its order. */
export const HASTEN_DELIVERIES = `
  UPDATE delivery SET due_at = :now
  WHERE state = 'due' AND destination = :destination AND due_at > :now AND failure_class = 'transient'`;

export const RESULT_OBJECT_FILE = `
  SELECT r.kind, r.sop_class_uid AS sopClassUid, r.transfer_syntax_uid AS transferSyntaxUid, r.file,
    iif(r.kind = 'original', NULL, r.sha256) AS sha256, iif(r.kind = 'original', r.sha256, NULL) AS datasetSha256,
    a.study_instance_uid AS studyInstanceUid
  FROM result_object r JOIN analysis a USING (analysis_id) WHERE r.sop_instance_uid = ?`;

export const NEXT_DELIVERY = `
  SELECT min(due_at) AS dueAt FROM delivery WHERE state = 'due' AND destination = ?`;

const STORED_DELIVERY = `
  SELECT d.delivery_id AS deliveryId, d.state, d.looks, d.unasked, d.transaction_uid AS transactionUid, r.kind,
    d.sop_instance_uid AS sopInstanceUid, r.sop_class_uid AS sopClassUid,
    r.series_instance_uid AS seriesInstanceUid, a.study_instance_uid AS studyInstanceUid
  FROM delivery d JOIN result_object r USING (sop_instance_uid) JOIN analysis a USING (analysis_id)`;

export const STORED_DELIVERIES = `
  ${STORED_DELIVERY}
  WHERE d.state = 'stored' AND d.destination = :destination AND d.due_at <= :now
  ORDER BY d.due_at, d.delivery_id LIMIT :limit`;

export const NEXT_LOOK = `
  SELECT min(due_at) AS dueAt FROM delivery WHERE state = 'stored' AND destination = ?`;

export const PUT_OFF_LOOK = `
  UPDATE delivery SET due_at = :lookAt, looks = looks + :missed, unasked = unasked + :unasked, transaction_uid = NULL, failure_class = 'transient',
    failure_code = :code
  WHERE delivery_id = :deliveryId AND state = 'stored'`;

export const SETTLE_PROOF = `
  UPDATE delivery SET state = :state, due_at = coalesce(:dueAt, due_at), settled_at = :settledAt,
    looks = looks + :missed, failure_class = :failureClass, failure_code = :failureCode
  WHERE delivery_id = :deliveryId AND state = 'stored' RETURNING destination`;

export const INSERT_ASKED_COMMITMENT = `
  INSERT INTO asked_commitment (transaction_uid, delivery_id) VALUES (:transactionUid, :deliveryId)`;

export const AWAIT_COMMITMENT = `
  UPDATE delivery SET transaction_uid = :transactionUid, due_at = :overdueAt
  WHERE delivery_id = :deliveryId AND state = 'stored'`;

/** What a request named, whatever has become of it since. */
export const ASKED_DELIVERIES = `
  ${STORED_DELIVERY}
  WHERE d.destination = :destination AND d.delivery_id IN (
    SELECT delivery_id FROM asked_commitment WHERE transaction_uid = :transactionUid)
  ORDER BY d.delivery_id`;

export const RELEASE_DELIVERIES = `UPDATE delivery SET state = 'due' WHERE state = 'sending'`;

export const SETTLE_DELIVERY = `
  UPDATE delivery SET state = :state, due_at = coalesce(:dueAt, due_at), settled_at = :settledAt, status = :status,
    transaction_uid = NULL, unasked = 0, attempts = attempts - :uncounted, failure_class = :failureClass, failure_code = :failureCode, comment = :comment
  WHERE delivery_id = :deliveryId AND state = 'sending'
  RETURNING sop_instance_uid AS sopInstanceUid, destination, route, priority, transfer_syntax AS transferSyntax`;

export const FALLBACK_FOR = `
  SELECT sop_instance_uid AS sopInstanceUid FROM result_object WHERE fallback_for = ?`;

/** `:destinations` is a JSON array of names. */
export const RESEND_DELIVERIES = `
  UPDATE delivery SET state = 'due', attempts = 0, looks = 0, due_at = :at, settled_at = NULL, failure_class = NULL,
    failure_code = NULL, comment = NULL
  WHERE state IN ('stored', 'delivered', 'dead', 'abandoned') AND sop_instance_uid IN (
    SELECT r.sop_instance_uid FROM result_object r JOIN analysis a USING (analysis_id)
    WHERE a.study_instance_uid = :studyInstanceUid
      AND a.revision = (SELECT max(revision) FROM analysis WHERE study_instance_uid = :studyInstanceUid
                        AND state = 'reported'))
    AND destination IN (SELECT value FROM json_each(:destinations))`;

const SELECTED_DELIVERIES = `
  SELECT d.delivery_id AS deliveryId, d.state, d.destination, d.sop_instance_uid AS sopInstanceUid, r.kind,
    a.study_instance_uid AS studyInstanceUid
  FROM delivery d JOIN result_object r USING (sop_instance_uid) JOIN analysis a USING (analysis_id)
  WHERE (:studyInstanceUid IS NULL OR a.study_instance_uid = :studyInstanceUid)
    AND (:destinations IS NULL OR d.destination IN (SELECT value FROM json_each(:destinations)))`;

export const DEAD_DELIVERIES = `${SELECTED_DELIVERIES} AND d.state = 'dead' ORDER BY d.delivery_id`;

/** Dead letters, and with `:configured` what waits for a destination that is none of these. */
export const ABANDONABLE_DELIVERIES = `${SELECTED_DELIVERIES}
    AND (d.state = 'dead' OR (d.state IN ('due', 'stored') AND :configured IS NOT NULL
                              AND d.destination NOT IN (SELECT value FROM json_each(:configured))))
  ORDER BY d.delivery_id`;

export const REVIVE_DELIVERY = `
  UPDATE delivery SET state = :state, attempts = 0, looks = 0, due_at = :at, settled_at = NULL, failure_class = NULL,
    failure_code = NULL, comment = NULL WHERE delivery_id = :deliveryId`;

export const ABANDON_DELIVERY = `
  UPDATE delivery SET state = :state, settled_at = :at WHERE delivery_id = :deliveryId`;

/** From the last slice of the series read to a report's first acceptance by any destination; none for a resend. */
export const REPORT_LATENCY = `
  SELECT d.settled_at - s.last_instance_at AS ms
  FROM delivery d JOIN result_object r USING (sop_instance_uid) JOIN analysis a USING (analysis_id)
    JOIN series s ON s.series_instance_uid = a.series_instance_uid
  WHERE r.sop_instance_uid = ? AND r.kind = 'sr' AND d.state = 'delivered'
    AND 1 = (SELECT count(*) FROM delivery WHERE sop_instance_uid = r.sop_instance_uid AND state = 'delivered')
    AND NOT EXISTS (SELECT 1 FROM event WHERE study_instance_uid = a.study_instance_uid AND kind = 'resend')`;
