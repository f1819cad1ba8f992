/** The SQL of what is shown of the node and of studies. */

/** Word for word as the index of open deliveries has it: SQLite takes a partial index only where a query says the same. */
const OPEN = "state NOT IN ('delivered', 'replaced', 'abandoned')";

export const COUNTS = `
  SELECT
    (SELECT count(*) FROM series WHERE state = 'receiving') AS seriesReceiving,
    (SELECT count(*) FROM study WHERE selection_due_at IS NOT NULL) AS studiesToChoose,
    (SELECT count(*) FROM analysis WHERE state IN ('due', 'running')) AS analysesDue,
    (SELECT count(*) FROM analysis WHERE state IN ('analysed', 'composing')) AS reportsDue,
    (SELECT count(*) FROM analysis a WHERE state = 'stuck' AND NOT EXISTS (SELECT 1 FROM analysis later
       WHERE later.study_instance_uid = a.study_instance_uid AND later.revision > a.revision
         AND later.state = 'reported')) AS analysesStuck,
    (SELECT count(*) FROM delivery WHERE ${OPEN} AND state IN ('due', 'sending')) AS deliveriesDue,
    (SELECT count(*) FROM delivery WHERE state = 'stored') AS deliveriesUnproven,
    (SELECT count(*) FROM delivery WHERE ${OPEN} AND state = 'dead') AS deliveriesDead,
    (SELECT count(*) FROM conflict WHERE settled_at IS NULL) AS conflicts,
    (SELECT count(*) FROM damage WHERE problem <> 'orphan') AS damagedFiles,
    (SELECT count(*) FROM damage WHERE problem = 'orphan') AS orphanFiles,
    (SELECT count(*) FROM commitment WHERE state = 'due') AS commitmentsDue,
    (SELECT count(*) FROM commitment WHERE state = 'dead') AS commitmentsDead`;

export const DESTINATION_BACKLOG = `
  SELECT d.destination, sum(d.state IN ('due', 'sending')) AS due, sum(d.state = 'stored') AS stored,
    sum(d.state = 'dead') AS dead, min(iif(d.state = 'dead', NULL, d.created_at)) AS oldestAt,
    (SELECT f.failure_code FROM delivery f
     WHERE f.${OPEN} AND f.destination = d.destination AND f.state IN ('due', 'sending', 'stored') AND f.failure_code IS NOT NULL
     ORDER BY f.priority, f.delivery_id LIMIT 1) AS failureCode
  FROM delivery d WHERE d.${OPEN}
  GROUP BY d.destination ORDER BY d.destination`;

export const OPEN_ROUTES = `
  SELECT route, destination, count(*) AS deliveries FROM delivery
  WHERE ${OPEN} AND state <> 'dead' GROUP BY route, destination ORDER BY 1, 2`;

export const DEAD_LETTERS = `
  SELECT d.settled_at AS settledAt, d.destination, r.kind, d.sop_instance_uid AS sopInstanceUid, d.attempts, d.status,
    d.failure_class AS failureClass, d.failure_code AS failureCode, a.study_instance_uid AS studyInstanceUid
  FROM delivery d JOIN result_object r USING (sop_instance_uid) JOIN analysis a USING (analysis_id)
  WHERE d.${OPEN} AND d.state = 'dead' ORDER BY d.priority, d.delivery_id LIMIT ?`;

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
  SELECT a.analysis_id AS analysisId, a.finding, a.analysed_at AS analysedAt, s.last_instance_at AS lastInstanceAt
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
