import type { AccountRows } from '../../users/account-rows.js';
import { answers } from '../answers.js';
import type { ApiRoutes } from '../api.js';
import { auditPage, auditQuery } from '../schemas/audit.js';

/** Who did what, newest first. */
export function auditRoutes(rows: Pick<AccountRows, 'auditLines'>): ApiRoutes {
  return (api) => {
    api.get(
      '/audit',
      {
        schema: {
          summary: 'Who did what',
          querystring: auditQuery,
          response: answers(auditPage),
        },
        config: { access: 'admin' },
      },
      ({ query: { cursor, limit } }) => {
        const entries = rows.auditLines(cursor, limit);
        const last = entries.length < limit ? undefined : entries.at(-1);
        return { entries, next: last?.id ?? null };
      },
    );
  };
}
