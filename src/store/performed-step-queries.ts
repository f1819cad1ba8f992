/** The SQL of performed procedure steps: what scanners say that they have made. */

export const STEP_TOTALS = `
  SELECT count(*) AS steps, coalesce(sum(instances), 0) AS instances FROM performed_step`;

export const INSERT_STEP = `
  INSERT INTO performed_step (step_uid, study_instance_uid, calling_ae_title, state, has_end, created_at, changed_at)
  VALUES (:sopInstanceUid, :studyInstanceUid, :callingAeTitle, 'in-progress', :hasEnd, :at, :at)
  ON CONFLICT (step_uid) DO NOTHING`;

export const STEP_STANDING = `
  SELECT state, has_end AS hasEnd, study_instance_uid AS studyInstanceUid, calling_ae_title AS callingAeTitle,
    (SELECT count(*) FROM performed_series WHERE step_uid = s.step_uid) AS series
  FROM performed_step s WHERE step_uid = ?`;

export const CHANGE_STEP = `
  UPDATE performed_step SET state = :state, has_end = :hasEnd, changed_at = :at
  WHERE step_uid = :sopInstanceUid AND state = 'in-progress'`;

export const DELETE_STEP_SERIES = 'DELETE FROM performed_series WHERE step_uid = ?';

export const INSERT_STEP_SERIES = `
  INSERT INTO performed_series (step_uid, series_instance_uid) VALUES (:stepUid, :seriesInstanceUid)`;

export const INSERT_STEP_INSTANCE = `
  INSERT INTO performed_instance (step_uid, series_instance_uid, sop_instance_uid)
  VALUES (:stepUid, :seriesInstanceUid, :sopInstanceUid)`;

export const COUNT_STEP_INSTANCES = `
  UPDATE performed_step SET instances = :instances WHERE step_uid = :stepUid`;

export const STEP_SERIES = `
  SELECT series_instance_uid AS seriesInstanceUid FROM performed_series WHERE step_uid = ?`;

/** What steps that have come to their end name as a series' own. */
export const PERFORMED_INSTANCES = `
  SELECT DISTINCT p.sop_instance_uid AS uid
  FROM performed_instance p JOIN performed_step s USING (step_uid)
  WHERE p.series_instance_uid = ? AND s.state <> 'in-progress'`;

export const DISCONTINUED_SERIES = `
  SELECT EXISTS (SELECT 1 FROM performed_series p JOIN performed_step s USING (step_uid)
    WHERE p.series_instance_uid = ? AND s.state = 'discontinued') AS discontinued`;

export const STUDY_STEPS = `
  SELECT step_uid AS sopInstanceUid, calling_ae_title AS callingAeTitle, state, created_at AS createdAt,
    changed_at AS changedAt, instances,
    (SELECT count(*) FROM performed_series WHERE step_uid = s.step_uid) AS series
  FROM performed_step s WHERE study_instance_uid = ? ORDER BY created_at, step_uid`;

/** Also one that never came to its end: whoever began it is not coming back to it. */
export const DELETE_OLD_STEPS = `
  DELETE FROM performed_step WHERE changed_at < :before
    AND NOT EXISTS (SELECT 1 FROM study WHERE study.study_instance_uid = performed_step.study_instance_uid)
    AND NOT EXISTS (SELECT 1 FROM performed_series p JOIN series USING (series_instance_uid)
      WHERE p.step_uid = performed_step.step_uid)`;
