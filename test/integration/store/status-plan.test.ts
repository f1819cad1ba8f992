import { expect, it } from 'vitest';
import {
  COMPARED_SINCE,
  CONTRADICTED_SINCE,
  SECOND_READINGS_DUE,
} from '../../../src/store/second-reading-queries.js';
import {
  COUNTS,
  DEAD_LETTERS,
  DESTINATION_BACKLOG,
  OPEN_ROUTES,
  RECENT_STUDIES,
} from '../../../src/store/status-queries.js';
import { StoreRig } from './rig.js';

/** Health, metrics and the console ask these again and again, beside receiving. */
const ASKED = {
  COUNTS,
  DESTINATION_BACKLOG,
  OPEN_ROUTES,
  DEAD_LETTERS,
  RECENT_STUDIES,
  COMPARED_SINCE,
  CONTRADICTED_SINCE,
  SECOND_READINGS_DUE,
};
/** A whole table or all its keys; what is damaged is few. */
const WHOLE_TABLE =
  /^SCAN (?!CONSTANT ROW|\d+-ROW VALUES|damage\b)\w+\b(?! USING.* INDEX (?!sqlite_autoindex))/;

it.each(Object.entries(ASKED))('%s reads no table from end to end', async (_, query) => {
  await using rig = await StoreRig.open();
  const plan = rig.catalog
    .prepare(`EXPLAIN QUERY PLAN ${query}`)
    .all(
      ...(query.includes('?') ? [1] : []),
      ...(query.includes(':since') ? [{ since: 1, limit: 1 }] : []),
    ) as { detail: string }[];
  const steps = plan.map(({ detail }) => detail);
  expect(steps).not.toEqual([]);
  expect(steps.filter((step) => WHOLE_TABLE.test(step))).toEqual([]);
});
