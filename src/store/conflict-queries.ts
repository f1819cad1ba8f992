/** The SQL of conflicts: images that contradict what was there before them, and what became of them. */

export const SELECT_STUDY_PATIENT = `
  SELECT patient_key AS id, issuer_key AS issuer, birth_date_key AS birthDate, sex_key AS sex
  FROM study WHERE study_instance_uid = ?`;

/** The image that came first under a SOP Instance UID, and whose it is. */
export const SELECT_FIRST_INSTANCE = `
  SELECT i.file, s.series_instance_uid AS seriesInstanceUid, s.study_instance_uid AS studyInstanceUid
  FROM instance i JOIN series s USING (series_instance_uid) WHERE i.sop_instance_uid = ?`;

export const SELECT_RESULT_SERIES = `
  SELECT 1 FROM result_object WHERE series_instance_uid = ? AND kind <> 'original'`;

export const INSERT_CONFLICT = `
  INSERT INTO conflict (sop_instance_uid, study_instance_uid, first_study_instance_uid, kind, sha256, file, header,
                        association_id, received_at, settled_at)
  VALUES (:sopInstanceUid, :studyInstanceUid, :firstStudyInstanceUid, :kind, :sha256, :file, :header,
          :associationId, :receivedAt, :settledAt)
  ON CONFLICT DO NOTHING`;

/** A destination has said that a report's study is another patient's. */
export const INSERT_REFILED = `
  INSERT INTO conflict (sop_instance_uid, study_instance_uid, first_study_instance_uid, kind, sha256, association_id,
                        received_at)
  SELECT sop_instance_uid, :studyInstanceUid, :studyInstanceUid, 'report-refiled', sha256, 0, :at
  FROM result_object WHERE sop_instance_uid = :sopInstanceUid
    AND NOT EXISTS (SELECT 1 FROM conflict WHERE study_instance_uid = :studyInstanceUid AND kind = 'report-refiled'
                    AND settled_at IS NULL)
  ON CONFLICT DO NOTHING`;

export const SELECT_CONFLICT_FILE = `
  SELECT sha256, file, EXISTS (SELECT 1 FROM damage d WHERE d.file = c.file) AS damaged
  FROM conflict c WHERE sop_instance_uid = :sopInstanceUid AND sha256 = :sha256 AND file IS NOT NULL`;

/** A choice that is due already is not put off, and one that waits for more is not hastened. */
export const SET_SELECTION_DUE_ONCE = `
  UPDATE study SET selection_due_at = coalesce(selection_due_at, :at) WHERE study_instance_uid = :studyInstanceUid`;

/** Of both sides: of the study that an image names and of the one that had its UID first. */
const TOUCHING = `
  conflict_id IN (SELECT conflict_id FROM conflict WHERE study_instance_uid = :studyInstanceUid
                  UNION SELECT conflict_id FROM conflict WHERE first_study_instance_uid = :studyInstanceUid)`;

export const CONFLICTS_TOUCHING = `
  SELECT kind, received_at AS receivedAt FROM conflict WHERE ${TOUCHING} ORDER BY conflict_id`;

/** Series that an image of the study names, and of which the study has none. */
export const APART_SERIES = `
  SELECT header ->> '$.seriesInstanceUid' AS seriesInstanceUid, header ->> '$.modality' AS modality,
    header ->> '$.seriesNumber' AS seriesNumber, count(DISTINCT sop_instance_uid) AS instances, kind
  FROM conflict c WHERE study_instance_uid = :studyInstanceUid AND header IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM series s WHERE s.series_instance_uid = c.header ->> '$.seriesInstanceUid'
                    AND s.study_instance_uid = c.study_instance_uid)
  GROUP BY 1, kind ORDER BY min(received_at), 1`;

export const APART_INSTANCES = `
  SELECT header, file, sha256, received_at AS receivedAt FROM conflict
  WHERE study_instance_uid = ? AND file IS NOT NULL AND header IS NOT NULL ORDER BY received_at, sop_instance_uid`;

export const STUDY_CONFLICTS = `
  SELECT sop_instance_uid AS sopInstanceUid, kind, study_instance_uid AS studyInstanceUid,
    first_study_instance_uid AS firstStudyInstanceUid, file, received_at AS receivedAt, settled_at AS settledAt
  FROM conflict WHERE ${TOUCHING} ORDER BY conflict_id`;

export const OPEN_CONFLICTS = `
  SELECT study_instance_uid AS studyInstanceUid, kind, count(*) AS images, min(received_at) AS since
  FROM conflict WHERE settled_at IS NULL GROUP BY study_instance_uid, kind ORDER BY since LIMIT ?`;

/** Without a study those of every study. */
export const SETTLE_CONFLICTS = `
  UPDATE conflict SET settled_at = :at WHERE settled_at IS NULL AND (:studyInstanceUid IS NULL OR ${TOUCHING})
  RETURNING kind, study_instance_uid AS studyInstanceUid`;

export const CONFLICT_FILES_OF_STUDY = `
  SELECT file FROM conflict WHERE study_instance_uid = ? AND file IS NOT NULL`;
