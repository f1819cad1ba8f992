/** The SQL of what models beside the deciding one say. */

export const ADD_SECOND_READER =
  'INSERT INTO second_reader (name) VALUES (?) ON CONFLICT DO NOTHING';

export const SECOND_READERS = 'SELECT name FROM second_reader';

export const REMOVE_SECOND_READER = 'DELETE FROM second_reader WHERE name = ?';

export const DROP_DUE_READINGS = "DELETE FROM second_reading WHERE reader = ? AND state = 'due'";

/** A later revision has taken the place of what was to be read. */
export const DROP_OUTDATED_READINGS = `
  DELETE FROM second_reading WHERE reader = ? AND state = 'due' AND EXISTS (
    SELECT 1 FROM analysis a JOIN analysis later USING (study_instance_uid)
    WHERE a.analysis_id = second_reading.analysis_id AND later.revision > a.revision)`;

export const IS_TRIAGE_WAITING = `
  SELECT 1 FROM analysis WHERE state = 'running' OR (state = 'due' AND due_at <= ?) LIMIT 1`;

export const CLAIM_SECOND_READING = `
  UPDATE second_reading SET attempts = attempts + 1
  WHERE reader = :reader AND state = 'due' AND analysis_id = (
    SELECT analysis_id FROM second_reading WHERE reader = :reader AND state = 'due' AND due_at <= :now
    ORDER BY due_at, analysis_id LIMIT 1)
  RETURNING analysis_id AS analysisId, reader, attempts`;

export const REPORTED_WORK = `
  SELECT analysis_id AS analysisId, study_instance_uid AS studyInstanceUid, revision,
    series_instance_uid AS seriesInstanceUid, trigger_code AS triggerCode, attempts, analysed_at AS analysedAt, finding
  FROM analysis WHERE analysis_id = ?`;

export const NEXT_SECOND_READING = `
  SELECT min(due_at) AS dueAt FROM second_reading WHERE reader = ? AND state = 'due'`;

export const RETRY_SECOND_READING = `
  UPDATE second_reading SET due_at = :dueAt, attempts = :attempts
  WHERE analysis_id = :analysisId AND reader = :reader`;

export const FINISH_SECOND_READING = `
  UPDATE second_reading SET state = 'read', read_at = :at, outcome = :outcome, finding = :finding
  WHERE analysis_id = :analysisId AND reader = :reader AND state = 'due'`;

export const READINGS_OF_ANALYSIS = `
  SELECT reader, read_at AS readAt, finding FROM second_reading
  WHERE analysis_id = ? AND state = 'read' ORDER BY reader`;

/** How each reader's answers stand to those of the deciding model. */
export const COMPARED_SINCE = `
  SELECT s.reader, a.outcome AS deciding, s.outcome, count(*) AS studies
  FROM second_reading s JOIN analysis a USING (analysis_id)
  WHERE s.state = 'read' AND s.read_at >= :since GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;

export const CONTRADICTED_SINCE = `
  SELECT s.reader, a.study_instance_uid AS studyInstanceUid, a.outcome AS deciding, s.outcome, s.read_at AS readAt
  FROM second_reading s JOIN analysis a USING (analysis_id)
  WHERE s.state = 'read' AND s.read_at >= :since
    AND (a.outcome, s.outcome) IN (VALUES ('positive', 'negative'), ('negative', 'positive'))
  ORDER BY s.read_at DESC LIMIT :limit`;

export const SECOND_READINGS_DUE = `
  SELECT reader, count(*) AS due FROM second_reading WHERE state = 'due' GROUP BY reader`;
