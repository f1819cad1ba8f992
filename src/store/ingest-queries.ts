/** The SQL of what is received. */

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
