/**
 * The SQL of analyses and of what is made of them. State changes are compare-and-set: they name the
 * state they start from.
 */

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

export const MADE_OBJECTS = `
  SELECT kind, sop_class_uid AS sopClassUid, sop_instance_uid AS sopInstanceUid,
    series_instance_uid AS seriesInstanceUid, transfer_syntax_uid AS transferSyntaxUid, fallback_for AS fallbackFor
  FROM result_object WHERE analysis_id = ? AND kind <> 'original'`;

/** Of an analysis: what was made of it. */
export const COUNT_MADE_OBJECTS = `
  SELECT count(*) AS objects FROM result_object WHERE analysis_id = ? AND kind <> 'original'`;

export const INSERT_RESULT_OBJECT = `
  INSERT INTO result_object (sop_instance_uid, analysis_id, kind, sop_class_uid, series_instance_uid,
                             transfer_syntax_uid, file, bytes, sha256, fallback_for, created_at)
  VALUES (:sopInstanceUid, :analysisId, :kind, :sopClassUid, :seriesInstanceUid,
          :transferSyntaxUid, :file, :bytes, :sha256, :fallbackFor, :at)
  ON CONFLICT (sop_instance_uid) DO NOTHING`;

/** Makes the newest analysis' input look new, so that the next choice of series opens a revision. */
export const FORGET_INPUT = `
  UPDATE analysis SET input_hash = '' WHERE study_instance_uid = :studyInstanceUid
    AND revision = (SELECT max(revision) FROM analysis WHERE study_instance_uid = :studyInstanceUid)`;
