/** SQL of what people see of the node's work. Times are milliseconds since the epoch. */

export const LATEST_EVENT = 'SELECT coalesce(max(event_id), 0) AS eventId FROM event';

export const NEW_EVENTS = `
  SELECT event_id AS eventId, kind, study_instance_uid AS studyInstanceUid FROM event
  WHERE event_id > :after ORDER BY event_id LIMIT :limit`;

export const STUDIES_WITH_SLICES = `
  SELECT study_instance_uid AS studyInstanceUid, last_instance_at AS lastInstanceAt FROM study
  WHERE last_instance_at >= :since ORDER BY last_instance_at DESC LIMIT :limit`;

/** By hour since the epoch and by who sent them. */
export const IMAGES_BY_HOUR = `
  SELECT i.received_at / 3600000 AS hour, coalesce(a.calling_ae_title, s.calling_ae_title) AS aeTitle, count(*) AS images
  FROM study s JOIN series r USING (study_instance_uid) JOIN instance i USING (series_instance_uid)
    LEFT JOIN association a USING (association_id)
  WHERE s.last_instance_at >= :since AND i.received_at >= :since GROUP BY 1, 2`;

export const STUDIES_BY_HOUR = `
  SELECT received_at / 3600000 AS hour, count(*) AS studies FROM worklist WHERE received_at >= :since GROUP BY 1`;

export const REPORTS_BY_HOUR = `
  SELECT at / 3600000 AS hour, count(*) AS reports FROM event
  WHERE at >= :since AND kind IN ('reported', 'unsent') GROUP BY 1`;

export const STUDIES_SINCE = `
  SELECT study_instance_uid AS uid FROM worklist WHERE received_at >= :since`;

export const ASSOCIATIONS_SINCE = `
  SELECT calling_ae_title AS aeTitle, opened_at AS openedAt, ended FROM association
  WHERE opened_at >= :since ORDER BY opened_at`;

export const RESULTS_SINCE = `
  SELECT received_at AS receivedAt, outcome, probability FROM worklist
  WHERE received_at >= :since AND outcome IS NOT NULL`;

/** The series that were read of the newest studies. */
export const READ_SERIES_SINCE = `
  SELECT DISTINCT a.series_instance_uid AS uid FROM worklist w JOIN analysis a USING (study_instance_uid)
  WHERE w.received_at >= :since AND a.series_instance_uid IS NOT NULL ORDER BY w.number DESC LIMIT :limit`;

export const LAST_SUCCESS = `
  SELECT settled_at AS at FROM delivery WHERE destination = ? AND state = 'delivered'
  ORDER BY delivery_id DESC LIMIT 1`;
