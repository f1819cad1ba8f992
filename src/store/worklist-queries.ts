/** SQL of the list of studies as people read it. Each statement is driven by an index and reads no more than a page. */

// Labels

export const UNLABELLED = `
  SELECT number, study_instance_uid AS studyInstanceUid FROM worklist WHERE labelled = 0 ORDER BY number LIMIT ?`;

/** Any image of a study; of one that has none, one that is kept apart. */
export const A_FILE_OF_STUDY = `
  SELECT coalesce(
    (SELECT i.file FROM series s JOIN instance i USING (series_instance_uid) WHERE s.study_instance_uid = :uid
     LIMIT 1),
    (SELECT file FROM conflict WHERE study_instance_uid = :uid AND file IS NOT NULL LIMIT 1)) AS file`;

export const LABEL_STUDY = `
  UPDATE worklist SET labelled = 1, patient_name = :patientName, patient_id = :patientId, birth_date = :birthDate,
    sex = :sex, accession_number = :accessionNumber, study_description = :studyDescription
  WHERE number = :number AND labelled = 0`;

// The page

/** How far a study has come, by its rows. */
const STATE = `
  CASE
    WHEN EXISTS (SELECT 1 FROM series r WHERE r.study_instance_uid = s.study_instance_uid AND +r.state = 'receiving')
      THEN 'receiving'
    WHEN s.selection_due_at IS NOT NULL OR a.state IS NULL THEN 'waiting'
    WHEN a.state IN ('due', 'running') THEN 'analysing'
    WHEN a.state IN ('analysed', 'composing') THEN 'reporting'
    ELSE a.state
  END`;

const LISTED = `
  SELECT w.number, w.study_instance_uid AS studyInstanceUid, w.patient_name AS patientName, w.patient_id AS patientId,
    w.birth_date AS birthDate, w.sex, w.accession_number AS accessionNumber, w.study_description AS studyDescription,
    w.received_at AS receivedAt, w.outcome, w.probability, w.leading_class AS leadingClass,
    s.last_instance_at AS lastSliceAt, s.calling_ae_title AS sourceAeTitle, ${STATE} AS state,
    a.routing ->> '$.unsent' AS unsent
  FROM worklist w JOIN study s USING (study_instance_uid)
    LEFT JOIN analysis a ON a.study_instance_uid = w.study_instance_uid AND a.revision =
      (SELECT max(revision) FROM analysis b WHERE b.study_instance_uid = w.study_instance_uid)`;

export const LISTED_STUDY = `${LISTED} WHERE w.study_instance_uid = ? AND s.removing = 0`;

/** The number from which on studies came at a time or later. */
export const NUMBER_SINCE = `
  SELECT number FROM worklist WHERE received_at >= ? ORDER BY received_at, number LIMIT 1`;

/** Studies on their way: few at any time, each found by a partial index. */
const UNDER_WAY = `
  w.study_instance_uid IN (
    SELECT study_instance_uid FROM series WHERE state = 'receiving'
    UNION ALL SELECT study_instance_uid FROM study INDEXED BY study_selection_due WHERE selection_due_at IS NOT NULL
    UNION ALL SELECT study_instance_uid FROM analysis WHERE state IN ('due', 'running', 'analysed', 'composing', 'stuck'))`;

export interface PageFilter {
  readonly text: boolean;
  readonly outcome: boolean;
  /** `all` states, those `under-way` alone, or `some` of which one is at rest. */
  readonly states: 'all' | 'under-way' | 'some';
}

/**
 * A page, newest first. With an outcome it walks that outcome's own index, with a text the matches, else the list itself;
 * all are in the order of arrival, so that no list is sorted but that of the few under way.
 */
export function pageQuery({ text, outcome, states }: PageFilter): string {
  const conditions = [
    'w.number < :before AND w.number >= :from AND w.received_at >= :since AND w.received_at < :until',
    's.removing = 0',
    ...(text
      ? ['w.number IN (SELECT rowid FROM worklist_text WHERE worklist_text MATCH :text)']
      : []),
    ...(outcome ? ['w.outcome = :outcome'] : []),
    ...(states === 'under-way' ? [UNDER_WAY] : []),
    ...(states === 'all' ? [] : [`${STATE} IN (SELECT value FROM json_each(:states))`]),
  ];
  return `${LISTED} WHERE ${conditions.join('\n    AND ')} ORDER BY w.number DESC LIMIT :limit`;
}

// What a page says of each of its studies

export const STUDY_SLICES = `
  SELECT coalesce(sum(instances), 0) AS n FROM series WHERE study_instance_uid = ?`;

export const STUDY_DELIVERY_COUNTS = `
  SELECT count(*) FILTER (WHERE d.state IN ('due', 'sending')) AS due, count(*) FILTER (WHERE d.state = 'stored') AS stored,
    count(*) FILTER (WHERE d.state = 'delivered') AS delivered, count(*) FILTER (WHERE d.state = 'dead') AS dead
  FROM analysis a JOIN result_object r USING (analysis_id) JOIN delivery d USING (sop_instance_uid)
  WHERE a.study_instance_uid = ?`;

export const STUDY_OPEN_CONFLICTS = `
  SELECT count(*) AS n FROM (
    SELECT conflict_id FROM conflict WHERE study_instance_uid = :uid AND settled_at IS NULL
    UNION SELECT conflict_id FROM conflict WHERE first_study_instance_uid = :uid AND settled_at IS NULL)`;

/** From the last slice of the series that was read to the first destination's answer; what was sent again later does not count. */
export const STUDY_MS_TO_REPORT = `
  SELECT min(e.at) - s.last_instance_at AS ms
  FROM analysis a JOIN series s ON s.series_instance_uid = a.series_instance_uid
    JOIN event e ON e.study_instance_uid = a.study_instance_uid AND e.kind IN ('stored', 'delivered')
      AND e.at >= a.analysed_at AND e.detail ->> '$.object' = 'sr'
  WHERE a.study_instance_uid = :uid
    AND a.revision = (SELECT max(revision) FROM analysis WHERE study_instance_uid = :uid AND finding IS NOT NULL)`;

// One study

export const SERIES_LABELS = `
  SELECT i.header ->> '$.seriesDescription' AS description, i.header ->> '$.convolutionKernel' AS kernel,
    i.header ->> '$.frames[0].sliceThickness' AS thicknessMm
  FROM instance i WHERE i.series_instance_uid = ? LIMIT 1`;

/** When slices came, by the association that carried them. */
export const STUDY_ARRIVALS = `
  SELECT i.series_instance_uid AS seriesInstanceUid, min(i.received_at) AS at, max(i.received_at) AS until,
    count(*) AS slices, a.calling_ae_title AS callingAeTitle, a.remote_address AS address, a.ended
  FROM series s JOIN instance i USING (series_instance_uid) LEFT JOIN association a USING (association_id)
  WHERE s.study_instance_uid = ? GROUP BY i.series_instance_uid, i.association_id ORDER BY at`;

// Files

export const INSTANCE_OF_SERIES = `
  SELECT i.file, i.header FROM instance i JOIN series s USING (series_instance_uid)
  WHERE i.sop_instance_uid = :instance AND s.series_instance_uid = :series AND s.study_instance_uid = :study`;

export const SERIES_HEADERS = `
  SELECT i.header FROM instance i JOIN series s USING (series_instance_uid)
  WHERE s.series_instance_uid = :series AND s.study_instance_uid = :study`;

/** An object of Vigil's own, or an instance as it was received. */
export const OBJECT_FILE = `
  SELECT r.file, r.kind, a.study_instance_uid AS studyInstanceUid
  FROM result_object r JOIN analysis a USING (analysis_id)
  WHERE r.sop_instance_uid = :uid AND r.kind <> 'original'
  UNION ALL
  SELECT i.file, 'instance', s.study_instance_uid FROM instance i JOIN series s USING (series_instance_uid)
  WHERE i.sop_instance_uid = :uid
  LIMIT 1`;

export const FINDING_OF_REVISION = `
  SELECT finding FROM analysis WHERE study_instance_uid = :study AND revision = :revision AND finding IS NOT NULL`;
