/** The SQL of a catalog that is made anew. */

/** What a damaged catalog left without what it refers to. */
export const DELETE_ROWS_WITHOUT_PARENT: readonly string[] = [
  'DELETE FROM series WHERE study_instance_uid NOT IN (SELECT study_instance_uid FROM study)',
  'DELETE FROM instance WHERE series_instance_uid NOT IN (SELECT series_instance_uid FROM series)',
  'DELETE FROM analysis WHERE study_instance_uid NOT IN (SELECT study_instance_uid FROM study)',
  'DELETE FROM second_reading WHERE analysis_id NOT IN (SELECT analysis_id FROM analysis)',
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
