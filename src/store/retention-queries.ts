/** The SQL of what is removed for its age or for space. */

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
