/** The SQL of files that are damaged or gone, and of looking for them. */

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
