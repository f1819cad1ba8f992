/** Every SQL statement of the catalog. State changes are compare-and-set: they name the state they start from. */

export const INSERT_EVENT = `
  INSERT INTO event (at, kind, study_instance_uid, series_instance_uid, association_id, detail)
  VALUES (:at, :kind, :studyInstanceUid, :seriesInstanceUid, :associationId, :detail)`;

// Ingest

export const INSERT_ASSOCIATION = `
  INSERT INTO association (association_id, calling_ae_title, called_ae_title, remote_address, opened_at)
  VALUES (:associationId, :callingAeTitle, :calledAeTitle, :remoteAddress, :openedAt)
  ON CONFLICT DO NOTHING`;

export const CLOSE_ASSOCIATION = `
  UPDATE association SET closed_at = :closedAt, ended = :ended
  WHERE association_id = :associationId AND closed_at IS NULL`;

export const LOSE_OPEN_ASSOCIATIONS = `
  UPDATE association SET closed_at = :at, ended = 'lost' WHERE closed_at IS NULL`;

export const LAST_ASSOCIATION_ID = 'SELECT coalesce(max(association_id), 0) AS id FROM association';

/** Whether an association that carried the instance `i` was released, and so had told all that it had to tell. */
const WAS_RELEASED = `
  (EXISTS (SELECT 1 FROM association a WHERE a.association_id = i.association_id AND a.ended = 'released')
   OR EXISTS (SELECT 1 FROM repetition r JOIN association a USING (association_id)
              WHERE r.sop_instance_uid = i.sop_instance_uid AND a.ended = 'released'))`;

export const SELECT_INSTANCE = `
  SELECT sha256, file, EXISTS (SELECT 1 FROM damage d WHERE d.file = i.file) AS damaged, ${WAS_RELEASED} AS released
  FROM instance i WHERE sop_instance_uid = ?`;

export const INSERT_REPETITION = `
  INSERT INTO repetition (sop_instance_uid, association_id)
  SELECT sop_instance_uid, :associationId FROM instance
  WHERE sop_instance_uid = :sopInstanceUid AND association_id <> :associationId
  ON CONFLICT DO NOTHING`;

export const SERIES_REPETITIONS = `
  SELECT r.sop_instance_uid AS sopInstanceUid, r.association_id AS associationId
  FROM repetition r JOIN instance i USING (sop_instance_uid) WHERE i.series_instance_uid = ?`;

/**
 * Series that were not taken for whole because an association broke or never ended, of which every instance has now
 * come over one that was released: they are judged again.
 */
export const REOPEN_REPEATED_SERIES = `
  UPDATE series SET state = 'receiving', revision = revision + 1, first_instance_at = :at,
    completed_at = NULL, completion_confidence = NULL, completion_code = NULL, completion_text = NULL
  WHERE state = 'complete' AND completion_code IN ('association-broken', 'hard-cap')
    AND series_instance_uid IN (SELECT i.series_instance_uid FROM repetition r JOIN instance i USING (sop_instance_uid)
                                WHERE r.association_id = :associationId)
    AND NOT EXISTS (SELECT 1 FROM instance i
                    WHERE i.series_instance_uid = series.series_instance_uid AND NOT ${WAS_RELEASED})
  RETURNING series_instance_uid AS seriesInstanceUid, study_instance_uid AS studyInstanceUid`;

export const COMPLETED_SERIES = `
  SELECT study_instance_uid AS studyInstanceUid, completion_code AS completionCode
  FROM series WHERE series_instance_uid = ? AND state = 'complete'`;

export const REOPEN_DOUBTED_SERIES = `
  UPDATE series SET state = 'receiving', revision = revision + 1, first_instance_at = :at,
    completed_at = NULL, completion_confidence = NULL, completion_code = NULL, completion_text = NULL
  WHERE series_instance_uid = :seriesInstanceUid AND state = 'complete'`;

/** What no image has stated before is taken from one that agrees: the next ones are compared with it as well. */
export const UPSERT_STUDY = `
  INSERT INTO study (study_instance_uid, patient_key, issuer_key, birth_date_key, sex_key, calling_ae_title,
                     called_ae_title, created_at, last_instance_at)
  VALUES (:studyInstanceUid, :id, :issuer, :birthDate, :sex, :callingAeTitle, :calledAeTitle, :receivedAt, :receivedAt)
  ON CONFLICT (study_instance_uid) DO UPDATE SET last_instance_at = excluded.last_instance_at, removing = 0,
    issuer_key = coalesce(issuer_key, iif(:agrees, excluded.issuer_key, NULL)),
    birth_date_key = coalesce(birth_date_key, iif(:agrees, excluded.birth_date_key, NULL)),
    sex_key = coalesce(sex_key, iif(:agrees, excluded.sex_key, NULL))`;

export const SELECT_SERIES = `
  SELECT series_instance_uid AS seriesInstanceUid, study_instance_uid AS studyInstanceUid
  FROM series WHERE series_instance_uid = ?`;

export const INSERT_SERIES = `
  INSERT INTO series (series_instance_uid, study_instance_uid, modality, series_number, state,
                      first_instance_at, last_instance_at)
  VALUES (:seriesInstanceUid, :studyInstanceUid, :modality, :seriesNumber, 'receiving', :receivedAt, :receivedAt)`;

export const REOPEN_SERIES = `
  UPDATE series SET state = 'receiving', revision = revision + 1, first_instance_at = :receivedAt,
    completed_at = NULL, completion_confidence = NULL, completion_code = NULL, completion_text = NULL,
    refusal_code = NULL, refusal_text = NULL
  WHERE series_instance_uid = :seriesInstanceUid AND state = 'complete'`;

export const COUNT_INSTANCE_IN_SERIES = `
  UPDATE series SET instances = instances + 1, last_instance_at = :receivedAt
  WHERE series_instance_uid = :seriesInstanceUid`;

export const INSERT_INSTANCE = `
  INSERT INTO instance (sop_instance_uid, series_instance_uid, sop_class_uid, transfer_syntax_uid, sha256, bytes,
                        file, association_id, received_at, header)
  VALUES (:sopInstanceUid, :seriesInstanceUid, :sopClassUid, :transferSyntaxUid, :sha256, :bytes,
          :file, :associationId, :receivedAt, :header)`;

// Series and completeness

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

// Choice of series

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

// Analyses

/** The pixels of a chosen series are not those of a head: the choice is made again without it. */
export const REFUSE_SERIES = `
  UPDATE series SET refusal_code = :code, refusal_text = :text WHERE series_instance_uid = :seriesInstanceUid`;

export const DROP_ANALYSIS = `
  DELETE FROM analysis WHERE analysis_id = :analysisId AND state = 'running'`;

export const STUDY_VERDICTS = `
  SELECT series_instance_uid AS seriesInstanceUid, modality, series_number AS seriesNumber, instances,
    verdict, verdict_code AS code, verdict_text AS text
  FROM series WHERE study_instance_uid = ? AND verdict IS NOT NULL ORDER BY first_instance_at, series_instance_uid`;

export const LATEST_ANALYSIS = `
  SELECT revision, created_at AS createdAt, series_instance_uid AS seriesInstanceUid, input_hash AS inputHash
  FROM analysis WHERE study_instance_uid = ? ORDER BY revision DESC LIMIT 1`;

export const INSERT_ANALYSIS = `
  INSERT INTO analysis (study_instance_uid, revision, series_instance_uid, input_hash, trigger_code, trigger_text,
                        state, due_at, created_at)
  VALUES (:studyInstanceUid, :revision, :seriesInstanceUid, :inputHash, :triggerCode, :triggerText,
          'due', :at, :at)`;

/** A newer revision makes an older one that nobody has begun needless. */
export const DROP_UNSTARTED_ANALYSES = `
  DELETE FROM analysis WHERE study_instance_uid = ? AND state = 'due' AND attempts = 0`;

/**
 * What has waited since before `:overdue` first; then the most urgent by what is known of it: its outcome, in the
 * order of the JSON array `:outcomes`, and before there is one `:suspicion`, a JSON object of numbers by Series Instance
 * UID; then in order of arrival.
 */
export const CLAIM_ANALYSIS = `
  UPDATE analysis SET state = :to, attempts = attempts + 1
  WHERE analysis_id = (
    SELECT analysis_id FROM analysis WHERE state = :from AND due_at <= :now
    ORDER BY due_at > :overdue,
      (SELECT key FROM json_each(:outcomes) WHERE value = outcome),
      (SELECT value FROM json_each(:suspicion) WHERE key = series_instance_uid) DESC NULLS LAST,
      due_at, analysis_id LIMIT 1) AND state = :from
  RETURNING analysis_id AS analysisId, study_instance_uid AS studyInstanceUid, revision,
    series_instance_uid AS seriesInstanceUid, trigger_code AS triggerCode, attempts, analysed_at AS analysedAt, finding`;

export const NEXT_ANALYSIS = `
  SELECT min(due_at) AS dueAt FROM analysis WHERE state = ?`;

/** There is one worker for each stage: what is still claimed when it claims again was cut off. */
export const RELEASE_CLAIMS = 'UPDATE analysis SET state = :from WHERE state = :to';

export const LOSE_TRY = `
  INSERT INTO lost_try (series_instance_uid, losses, code, text) VALUES (:seriesInstanceUid, 1, :code, :text)
  ON CONFLICT (series_instance_uid) DO UPDATE SET losses = losses + 1, code = excluded.code, text = excluded.text`;

/** At the start: what is claimed was in the hands of the inference process when the node ended. */
export const COUNT_CUT_OFFS = `
  INSERT INTO lost_try (series_instance_uid, cut_offs)
    SELECT series_instance_uid, 1 FROM analysis WHERE state = 'running' AND series_instance_uid IS NOT NULL
  ON CONFLICT (series_instance_uid) DO UPDATE SET cut_offs = cut_offs + 1`;

export const CUT_OFF_ANALYSES = `
  SELECT analysis_id AS analysisId, cut_offs AS cutOffs FROM analysis JOIN lost_try USING (series_instance_uid)
  WHERE state = 'running'`;

export const POSTPONE_ANALYSIS =
  'UPDATE analysis SET due_at = :dueAt WHERE analysis_id = :analysisId';

export const LOST_TRIES = `
  SELECT losses, cut_offs AS cutOffs, code, text FROM lost_try WHERE series_instance_uid = ?`;

export const FORGET_LOST_TRIES = 'DELETE FROM lost_try WHERE series_instance_uid = ?';

/** Somebody asked for the study to be read again: its series have their tries back. */
export const FORGET_STUDYS_LOST_TRIES = `
  DELETE FROM lost_try WHERE series_instance_uid IN (SELECT series_instance_uid FROM series
    WHERE study_instance_uid = ?)`;

export const STUDY_OF_SERIES = `
  SELECT study_instance_uid AS studyInstanceUid FROM series WHERE series_instance_uid = ?`;

export const RETRY_ANALYSIS = `
  UPDATE analysis SET state = :to, due_at = :dueAt, attempts = :attempts
  WHERE analysis_id = :analysisId AND state = :from`;

export const FINISH_ANALYSIS = `
  UPDATE analysis SET state = 'analysed', attempts = 0, due_at = :at, analysed_at = :at, outcome = :outcome,
    finding = :finding, input_hash = coalesce(:inputHash, input_hash)
  WHERE analysis_id = :analysisId AND state = :from RETURNING study_instance_uid AS studyInstanceUid`;

export const REPORTED_ANALYSIS = `
  UPDATE analysis SET state = 'reported', reported_at = :at, routing = :routing
  WHERE analysis_id = :analysisId AND state = 'composing' RETURNING study_instance_uid AS studyInstanceUid`;

export const PREDECESSOR_REPORT = `
  SELECT r.sop_class_uid AS sopClassUid, r.sop_instance_uid AS sopInstanceUid,
    r.series_instance_uid AS seriesInstanceUid, a.study_instance_uid AS studyInstanceUid,
    f.sop_class_uid AS fallbackClassUid, f.sop_instance_uid AS fallbackUid, f.series_instance_uid AS fallbackSeriesUid
  FROM analysis a JOIN result_object r ON r.analysis_id = a.analysis_id
    LEFT JOIN result_object f ON f.analysis_id = a.analysis_id AND f.fallback_for = r.sop_instance_uid
  WHERE a.study_instance_uid = :studyInstanceUid AND a.revision < :revision AND r.kind = 'sr' AND r.fallback_for IS NULL
  ORDER BY a.revision DESC LIMIT 1`;

/** Who sent slices of a study, without the objects of Vigil's own that a PACS sends back. */
export const STUDY_SOURCES = `
  SELECT DISTINCT a.calling_ae_title AS callingAeTitle, a.called_ae_title AS calledAeTitle,
    a.remote_address AS address
  FROM association a JOIN instance i USING (association_id) JOIN series s USING (series_instance_uid)
  WHERE s.study_instance_uid = ?
    AND NOT EXISTS (SELECT 1 FROM result_object r WHERE r.series_instance_uid = s.series_instance_uid
                    AND r.kind <> 'original')`;

export const STUDY_ORIGIN = `
  SELECT calling_ae_title AS callingAeTitle, called_ae_title AS calledAeTitle
  FROM study WHERE study_instance_uid = ?`;

/** The instances of a series, or of a study where there is none given, as objects that can be sent. */
export const INSERT_ORIGINALS = `
  INSERT INTO result_object (sop_instance_uid, analysis_id, kind, sop_class_uid, series_instance_uid,
                             transfer_syntax_uid, file, bytes, sha256, created_at)
  SELECT i.sop_instance_uid, :analysisId, 'original', i.sop_class_uid, i.series_instance_uid,
    i.transfer_syntax_uid, i.file, i.bytes, i.sha256, :at
  FROM instance i JOIN series s USING (series_instance_uid)
  WHERE s.study_instance_uid = :studyInstanceUid
    AND (:seriesInstanceUid IS NULL OR s.series_instance_uid = :seriesInstanceUid)
    AND NOT EXISTS (SELECT 1 FROM result_object r WHERE r.series_instance_uid = s.series_instance_uid
                    AND r.kind <> 'original')
  ORDER BY i.received_at, i.sop_instance_uid
  ON CONFLICT DO NOTHING`;

export const INSERT_ORIGINAL_DELIVERIES = `
  INSERT INTO delivery (sop_instance_uid, destination, route, priority, state, created_at, due_at)
  SELECT i.sop_instance_uid, :destination, :route, :priority, 'due', :at, :at
  FROM instance i JOIN series s USING (series_instance_uid) JOIN result_object r USING (sop_instance_uid)
  WHERE s.study_instance_uid = :studyInstanceUid AND r.kind = 'original'
    AND (:seriesInstanceUid IS NULL OR s.series_instance_uid = :seriesInstanceUid)
  ORDER BY i.received_at, i.sop_instance_uid
  ON CONFLICT DO NOTHING`;

/** The newest analysis of a study where it is reported, read no series, and originals were forwarded. */
export const FORWARDED_UNREAD = `
  SELECT a.analysis_id AS analysisId FROM analysis a
  WHERE a.study_instance_uid = :studyInstanceUid AND a.series_instance_uid IS NULL AND a.state = 'reported'
    AND a.revision = (SELECT max(revision) FROM analysis WHERE study_instance_uid = :studyInstanceUid)
    AND EXISTS (SELECT 1 FROM delivery d JOIN result_object r USING (sop_instance_uid)
      JOIN analysis b USING (analysis_id) WHERE b.study_instance_uid = :studyInstanceUid AND r.kind = 'original')`;

/** The originals of a study that have no delivery go where the others went. */
export const FORWARD_LATE_ORIGINALS = `
  INSERT INTO delivery (sop_instance_uid, destination, route, priority, state, created_at, due_at)
  SELECT late.sop_instance_uid, way.destination, way.route, way.priority, 'due', :at, :at
  FROM result_object late JOIN analysis a USING (analysis_id) JOIN (
    SELECT DISTINCT d.destination, d.route, d.priority
    FROM delivery d JOIN result_object r USING (sop_instance_uid) JOIN analysis b USING (analysis_id)
    WHERE b.study_instance_uid = :studyInstanceUid AND r.kind = 'original') way
  WHERE a.study_instance_uid = :studyInstanceUid AND late.kind = 'original'
  ORDER BY late.sop_instance_uid
  ON CONFLICT DO NOTHING`;

export const HAS_RESULT_OBJECT = 'SELECT 1 FROM result_object WHERE sop_instance_uid = ?';

/** Of an analysis: what was made of it. */
export const COUNT_MADE_OBJECTS = `
  SELECT count(*) AS objects FROM result_object WHERE analysis_id = ? AND kind <> 'original'`;

export const INSERT_RESULT_OBJECT = `
  INSERT INTO result_object (sop_instance_uid, analysis_id, kind, sop_class_uid, series_instance_uid,
                             transfer_syntax_uid, file, bytes, sha256, fallback_for, created_at)
  VALUES (:sopInstanceUid, :analysisId, :kind, :sopClassUid, :seriesInstanceUid,
          :transferSyntaxUid, :file, :bytes, :sha256, :fallbackFor, :at)
  ON CONFLICT (sop_instance_uid) DO NOTHING`;

// Deliveries

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
    transfer_syntax AS transferSyntax`;

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

// Status and retention

export const COUNTS = `
  SELECT
    (SELECT count(*) FROM series WHERE state = 'receiving') AS seriesReceiving,
    (SELECT count(*) FROM study WHERE selection_due_at IS NOT NULL) AS studiesToChoose,
    (SELECT count(*) FROM analysis WHERE state IN ('due', 'running')) AS analysesDue,
    (SELECT count(*) FROM analysis WHERE state IN ('analysed', 'composing')) AS reportsDue,
    (SELECT count(*) FROM analysis a WHERE state = 'stuck' AND NOT EXISTS (SELECT 1 FROM analysis later
       WHERE later.study_instance_uid = a.study_instance_uid AND later.revision > a.revision
         AND later.state = 'reported')) AS analysesStuck,
    (SELECT count(*) FROM delivery WHERE state IN ('due', 'sending')) AS deliveriesDue,
    (SELECT count(*) FROM delivery WHERE state = 'stored') AS deliveriesUnproven,
    (SELECT count(*) FROM delivery WHERE state = 'dead') AS deliveriesDead,
    (SELECT count(*) FROM conflict WHERE settled_at IS NULL) AS conflicts,
    (SELECT count(*) FROM damage WHERE problem <> 'orphan') AS damagedFiles,
    (SELECT count(*) FROM damage WHERE problem = 'orphan') AS orphanFiles,
    (SELECT count(*) FROM commitment WHERE state = 'due') AS commitmentsDue,
    (SELECT count(*) FROM commitment WHERE state = 'dead') AS commitmentsDead`;

export const DESTINATION_BACKLOG = `
  SELECT d.destination, sum(d.state IN ('due', 'sending')) AS due, sum(d.state = 'stored') AS stored,
    sum(d.state = 'dead') AS dead, min(iif(d.state = 'dead', NULL, d.created_at)) AS oldestAt,
    (SELECT f.failure_code FROM delivery f
     WHERE f.destination = d.destination AND f.state IN ('due', 'sending', 'stored') AND f.failure_code IS NOT NULL
     ORDER BY f.priority, f.delivery_id LIMIT 1) AS failureCode
  FROM delivery d WHERE d.state NOT IN ('delivered', 'replaced', 'abandoned')
  GROUP BY d.destination ORDER BY d.destination`;

export const OPEN_ROUTES = `
  SELECT route, destination, count(*) AS deliveries FROM delivery
  WHERE state NOT IN ('delivered', 'replaced', 'abandoned', 'dead') GROUP BY route, destination ORDER BY 1, 2`;

export const DEAD_LETTERS = `
  SELECT d.settled_at AS settledAt, d.destination, r.kind, d.sop_instance_uid AS sopInstanceUid, d.attempts, d.status,
    d.failure_class AS failureClass, d.failure_code AS failureCode, a.study_instance_uid AS studyInstanceUid
  FROM delivery d JOIN result_object r USING (sop_instance_uid) JOIN analysis a USING (analysis_id)
  WHERE d.state = 'dead' ORDER BY d.priority, d.delivery_id LIMIT ?`;

export const RECENT_STUDIES = `
  SELECT s.study_instance_uid AS studyInstanceUid, s.created_at AS createdAt, s.last_instance_at AS lastInstanceAt,
    s.calling_ae_title AS callingAeTitle,
    (SELECT coalesce(sum(instances), 0) FROM series WHERE study_instance_uid = s.study_instance_uid) AS instances,
    EXISTS (SELECT 1 FROM conflict WHERE settled_at IS NULL
            AND s.study_instance_uid IN (study_instance_uid, first_study_instance_uid)) AS conflict,
    a.revision, a.state, a.outcome, a.routing ->> '$.unsent' AS unsent
  FROM study s LEFT JOIN analysis a ON a.study_instance_uid = s.study_instance_uid AND a.revision =
    (SELECT max(revision) FROM analysis WHERE study_instance_uid = s.study_instance_uid)
  ORDER BY s.last_instance_at DESC LIMIT ?`;

export const STUDY = `
  SELECT study_instance_uid AS studyInstanceUid, calling_ae_title AS callingAeTitle,
    called_ae_title AS calledAeTitle, created_at AS createdAt, last_instance_at AS lastInstanceAt
  FROM study WHERE study_instance_uid = ?`;

export const STUDY_ANALYSES = `
  SELECT analysis_id AS analysisId, revision, series_instance_uid AS seriesInstanceUid, state, outcome,
    trigger_code AS triggerCode, trigger_text AS triggerText, created_at AS createdAt,
    analysed_at AS analysedAt, reported_at AS reportedAt, finding, routing
  FROM analysis WHERE study_instance_uid = ? ORDER BY revision`;

/** Studies with a finding whose last slice came since then, oldest first. */
export const ANALYSED_SINCE = `
  SELECT study_instance_uid AS studyInstanceUid FROM study s
  WHERE last_instance_at >= ? AND removing = 0
    AND EXISTS (SELECT 1 FROM analysis WHERE study_instance_uid = s.study_instance_uid AND finding IS NOT NULL)
  ORDER BY last_instance_at`;

export const ANALYSED_STUDY = `
  SELECT a.finding, a.analysed_at AS analysedAt, s.last_instance_at AS lastInstanceAt
  FROM analysis a JOIN study s USING (study_instance_uid)
  WHERE study_instance_uid = ? AND a.finding IS NOT NULL AND s.removing = 0 ORDER BY a.revision DESC LIMIT 1`;

export const LAST_FINDING = `
  SELECT finding FROM analysis WHERE study_instance_uid = ? AND finding IS NOT NULL
  ORDER BY revision DESC LIMIT 1`;

export const STUDY_OBJECTS = `
  SELECT r.sop_instance_uid AS sopInstanceUid, a.revision, r.kind, r.sop_class_uid AS sopClassUid, r.file, r.bytes,
    r.fallback_for AS fallbackFor, r.created_at AS createdAt
  FROM result_object r JOIN analysis a USING (analysis_id)
  WHERE a.study_instance_uid = ? AND r.kind NOT IN ('original', 'notification')
  ORDER BY a.revision, r.kind, r.sop_instance_uid`;

export const STUDY_DELIVERIES = `
  SELECT d.delivery_id AS deliveryId, d.sop_instance_uid AS sopInstanceUid, r.kind, d.destination, d.route, d.state,
    d.attempts, d.due_at AS dueAt, d.looks, d.settled_at AS settledAt, d.status, d.failure_class AS failureClass, d.failure_code AS failureCode,
    d.comment
  FROM delivery d JOIN result_object r USING (sop_instance_uid) JOIN analysis a USING (analysis_id)
  WHERE a.study_instance_uid = ? ORDER BY d.delivery_id`;

export const STUDY_EVENTS = `
  SELECT at, kind, series_instance_uid AS seriesInstanceUid, association_id AS associationId, detail
  FROM event WHERE study_instance_uid = ? ORDER BY event_id`;

/** Studies at rest, oldest first: nothing is being received, chosen, read, reported or delivered. */
export const REMOVABLE_STUDIES = `
  SELECT study_instance_uid AS studyInstanceUid FROM study s
  WHERE last_instance_at < :before AND selection_due_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM series WHERE study_instance_uid = s.study_instance_uid AND state = 'receiving')
    AND NOT EXISTS (SELECT 1 FROM analysis WHERE study_instance_uid = s.study_instance_uid AND state <> 'reported')
    AND NOT EXISTS (SELECT 1 FROM delivery d JOIN result_object r USING (sop_instance_uid)
                    JOIN analysis a USING (analysis_id)
                    WHERE a.study_instance_uid = s.study_instance_uid AND d.state NOT IN ('delivered', 'replaced', 'abandoned'))
    AND NOT EXISTS (SELECT 1 FROM conflict WHERE study_instance_uid = s.study_instance_uid AND settled_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM conflict WHERE first_study_instance_uid = s.study_instance_uid AND settled_at IS NULL)
  ORDER BY last_instance_at LIMIT :limit`;

export const MARK_REMOVING = `
  UPDATE study SET removing = 1 WHERE study_instance_uid = ? AND removing = 0`;

export const UNMARK_REMOVING = 'UPDATE study SET removing = 0 WHERE study_instance_uid = ?';

export const STUDIES_BEING_REMOVED = `
  SELECT study_instance_uid AS studyInstanceUid FROM study WHERE removing = 1`;

export const DELETE_STUDY_ROWS: readonly string[] = [
  `DELETE FROM delivery WHERE sop_instance_uid IN (SELECT sop_instance_uid FROM result_object
     JOIN analysis USING (analysis_id) WHERE study_instance_uid = ?)`,
  `DELETE FROM result_object WHERE analysis_id IN (SELECT analysis_id FROM analysis WHERE study_instance_uid = ?)`,
  'DELETE FROM analysis WHERE study_instance_uid = ?',
  `DELETE FROM instance WHERE series_instance_uid IN (SELECT series_instance_uid FROM series
     WHERE study_instance_uid = ?)`,
  'DELETE FROM damage WHERE study_instance_uid = ?',
  'DELETE FROM conflict WHERE study_instance_uid = ?',
  'DELETE FROM series WHERE study_instance_uid = ?',
  'DELETE FROM study WHERE study_instance_uid = ?',
];

/** Makes the newest analysis' input look new, so that the next choice of series opens a revision. */
export const FORGET_INPUT = `
  UPDATE analysis SET input_hash = '' WHERE study_instance_uid = :studyInstanceUid
    AND revision = (SELECT max(revision) FROM analysis WHERE study_instance_uid = :studyInstanceUid)`;

// Damage and verification

export const KNOWN_DAMAGE = 'SELECT problem FROM damage WHERE file = ?';

export const UPSERT_DAMAGE = `
  INSERT INTO damage (file, kind, problem, study_instance_uid, sop_instance_uid, found_at, seen_at)
  VALUES (:file, :kind, :problem, :studyInstanceUid, :sopInstanceUid, :at, :at)
  ON CONFLICT (file) DO UPDATE SET problem = excluded.problem, seen_at = excluded.seen_at`;

export const DELETE_DAMAGE = `
  DELETE FROM damage WHERE file = ?
  RETURNING kind, study_instance_uid AS studyInstanceUid, sop_instance_uid AS sopInstanceUid`;

export const DELETE_OLD_ORPHANS = `DELETE FROM damage WHERE problem = 'orphan' AND seen_at < ?`;

export const DAMAGED_FILES = `
  SELECT file, kind, problem, study_instance_uid AS studyInstanceUid, sop_instance_uid AS sopInstanceUid,
    found_at AS foundAt
  FROM damage ORDER BY file`;

/** Reported analyses with objects that are gone or altered. What the disk cannot read it may read the next time. */
export const DAMAGED_REPORTS = `
  SELECT a.analysis_id AS analysisId, a.study_instance_uid AS studyInstanceUid, a.revision,
    a.series_instance_uid AS seriesInstanceUid, a.trigger_code AS triggerCode, a.attempts,
    a.analysed_at AS analysedAt, a.finding,
    NOT EXISTS (SELECT 1 FROM analysis later WHERE later.study_instance_uid = a.study_instance_uid
      AND later.revision > a.revision) AS isNewest
  FROM analysis a JOIN study s USING (study_instance_uid)
  WHERE a.state = 'reported' AND s.removing = 0 AND a.analysis_id IN (
    SELECT r.analysis_id FROM damage d JOIN result_object r ON r.sop_instance_uid = d.sop_instance_uid
    WHERE d.kind = 'result' AND d.problem IN ('missing', 'truncated', 'altered'))
  ORDER BY a.analysis_id`;

export const DAMAGED_OBJECTS = `
  SELECT r.sop_instance_uid AS sopInstanceUid, r.sha256, d.seen_at AS seenAt
  FROM result_object r JOIN damage d ON d.sop_instance_uid = r.sop_instance_uid
  WHERE r.analysis_id = ? AND d.kind = 'result' AND d.problem IN ('missing', 'truncated', 'altered')
  ORDER BY r.sop_instance_uid`;

const DEAD_FOR_ITS_FILE = `
  sop_instance_uid = :sopInstanceUid AND state = 'dead' AND failure_code IN ('file-missing', 'file-altered')`;

export const REVIVE_MENDED = `
  UPDATE delivery SET state = 'due', attempts = 0, looks = 0, due_at = :at, settled_at = NULL, failure_class = NULL,
    failure_code = NULL, comment = NULL WHERE ${DEAD_FOR_ITS_FILE}`;

/** The report that supersedes the lost one goes in its place. */
export const REPLACE_LOST = `
  UPDATE delivery SET state = 'replaced', settled_at = :at WHERE ${DEAD_FOR_ITS_FILE}`;

export const REPORT_ONCE_MORE = `
  INSERT INTO analysis (study_instance_uid, revision, series_instance_uid, input_hash, trigger_code, trigger_text,
                        state, due_at, created_at, analysed_at, outcome, finding)
  SELECT study_instance_uid, revision + 1, series_instance_uid, input_hash, :code, :text, 'analysed', :at, :at, :at,
    outcome, coalesce(:finding, finding)
  FROM analysis a WHERE analysis_id = :analysisId AND NOT EXISTS (
    SELECT 1 FROM analysis later WHERE later.study_instance_uid = a.study_instance_uid AND later.revision > a.revision)`;

export const UNREADABLE_STUDIES = `
  SELECT DISTINCT study_instance_uid AS studyInstanceUid FROM damage
  WHERE problem = 'unreadable' AND study_instance_uid IS NOT NULL`;

export const STUDY_DAMAGE = `
  SELECT file, kind, problem, study_instance_uid AS studyInstanceUid, sop_instance_uid AS sopInstanceUid,
    found_at AS foundAt
  FROM damage WHERE study_instance_uid = ? ORDER BY file`;

/** Why the newest analysis of a study failed, if it did. */
export const LATEST_FAILURE = `
  SELECT CASE outcome WHEN 'failed' THEN finding ->> '$.reason.code' END AS code
  FROM analysis WHERE study_instance_uid = ? ORDER BY revision DESC LIMIT 1`;

const INSTANCE_FILE = `
  SELECT i.sop_instance_uid AS key, i.file, i.sha256, i.bytes, s.study_instance_uid AS studyInstanceUid,
    i.sop_instance_uid AS sopInstanceUid
  FROM instance i JOIN series s USING (series_instance_uid)`;

const RESULT_FILE = `
  SELECT r.sop_instance_uid AS key, r.file, r.sha256, r.bytes, a.study_instance_uid AS studyInstanceUid,
    r.sop_instance_uid AS sopInstanceUid
  FROM result_object r JOIN analysis a USING (analysis_id)`;

export const INSTANCE_FILES = `${INSTANCE_FILE}
  WHERE i.sop_instance_uid > :after ORDER BY i.sop_instance_uid LIMIT :limit`;

export const STUDY_INSTANCE_FILES = `${INSTANCE_FILE} WHERE s.study_instance_uid = ?`;

export const CONFLICT_FILES = `
  SELECT CAST(conflict_id AS TEXT) AS key, file, sha256, NULL AS bytes, study_instance_uid AS studyInstanceUid,
    sop_instance_uid AS sopInstanceUid
  FROM conflict WHERE conflict_id > CAST(:after AS INTEGER) AND file IS NOT NULL ORDER BY conflict_id LIMIT :limit`;

export const RESULT_FILES = `${RESULT_FILE}
  WHERE r.sop_instance_uid > :after AND r.kind <> 'original' ORDER BY r.sop_instance_uid LIMIT :limit`;

export const STUDY_RESULT_FILES = `${RESULT_FILE} WHERE a.study_instance_uid = ? AND r.kind <> 'original'`;

export const HAS_CONFLICT_FILE = `
  SELECT 1 FROM conflict WHERE sop_instance_uid = :sopInstanceUid AND file = :file`;

/** Images that are kept apart since an upgrade still lie among the others. */
export const HAS_INSTANCE_FILE = `
  SELECT 1 FROM instance WHERE sop_instance_uid = :sopInstanceUid AND file = :file
  UNION ALL ${HAS_CONFLICT_FILE}`;

export const HAS_RESULT_FILE = `
  SELECT 1 FROM result_object WHERE sop_instance_uid = :sopInstanceUid AND file = :file`;

export const VERIFY_PROGRESS = `
  SELECT started_at AS startedAt, phase, after, files, bytes FROM verification WHERE finished_at IS NULL`;

export const SAVE_VERIFY_PROGRESS = `
  INSERT INTO verification (id, started_at, phase, after, files, bytes)
  VALUES (1, :startedAt, :phase, :after, :files, :bytes)
  ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, phase = excluded.phase, after = excluded.after,
    files = excluded.files, bytes = excluded.bytes, finished_at = NULL`;

export const FINISH_VERIFY = 'UPDATE verification SET finished_at = ?';

export const LAST_VERIFICATION = `
  SELECT started_at AS startedAt, finished_at AS finishedAt, files, bytes FROM verification`;

// Rebuilding

/** What a damaged catalog left without what it refers to. */
export const DELETE_ROWS_WITHOUT_PARENT: readonly string[] = [
  'DELETE FROM series WHERE study_instance_uid NOT IN (SELECT study_instance_uid FROM study)',
  'DELETE FROM instance WHERE series_instance_uid NOT IN (SELECT series_instance_uid FROM series)',
  'DELETE FROM analysis WHERE study_instance_uid NOT IN (SELECT study_instance_uid FROM study)',
  'DELETE FROM result_object WHERE analysis_id NOT IN (SELECT analysis_id FROM analysis)',
  'DELETE FROM delivery WHERE sop_instance_uid NOT IN (SELECT sop_instance_uid FROM result_object)',
];

export const RECOUNT_INSTANCES = `
  UPDATE series SET instances =
    (SELECT count(*) FROM instance i WHERE i.series_instance_uid = series.series_instance_uid)`;

/** Studies that have lost their analyses are chosen from again. */
export const LOOK_AT_STUDIES_AGAIN = `
  UPDATE study SET selection_due_at = :at WHERE selection_due_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM analysis a WHERE a.study_instance_uid = study.study_instance_uid)`;
