import { ConfigConflictError, NoVersionError } from '../../../config/change-errors.js';
import { ConfigError } from '../../../config/problems.js';
import { ConfigNotWritableError } from '../../../config/replace-file.js';
import type { AuditRecord } from '../../users/account-rows.js';
import { callerOf } from '../access.js';
import { answers } from '../answers.js';
import type { ApiRoutes } from '../api.js';
import { ApiProblem } from '../api-problem.js';
import * as schemas from '../schemas/routing.js';

/** What the routes need of the configuration; each throws what `config` calls its errors. */
export interface RoutingDesk {
  current(): Promise<schemas.Routing>;
  validate(text: string): Promise<schemas.Validation>;
  diff(text: string): Promise<schemas.RulesDiff>;
  replay(text: string, days: number): Promise<schemas.Replay>;
  apply(text: string, from: string, who: string, reason: string): Promise<schemas.Applied>;
  rollback(reference: string, who: string, reason: string): Promise<schemas.Applied>;
  history(limit: number, before?: number): Promise<schemas.History>;
  version(number: number): Promise<schemas.ConfigVersionText>;
}

/** A text of the longest kind, as JSON. */
const BODY_LIMIT = 512 * 1024;
const reading = { access: 'viewer' } as const;
const changing = { access: 'admin' } as const;
/** Headers of many studies may have to be read. */
const replaying = { access: 'admin', rateLimit: { max: 10, timeWindow: '1 minute' } } as const;

/** The routing rules, which are part of the configuration file: looked at, tried, changed and rolled back. */
export function routingRoutes(desk: RoutingDesk, audit: (line: AuditRecord) => void): ApiRoutes {
  return (api) => {
    api.get(
      '/routing',
      {
        schema: {
          summary: 'What the configuration file holds, and what is wrong with it',
          response: answers(schemas.routing),
        },
        config: reading,
      },
      async (_, reply) => {
        const current = await desk.current();
        return reply.header('etag', `"${current.version}"`).send(current);
      },
    );

    api.post(
      '/routing/validate',
      {
        schema: {
          summary: 'Everything that is wrong with a text, with its places',
          body: schemas.routingText,
          response: answers(schemas.validation),
        },
        config: changing,
        bodyLimit: BODY_LIMIT,
      },
      ({ body }) => desk.validate(body.text),
    );

    api.post(
      '/routing/diff',
      {
        schema: {
          summary: 'Which rules of a text differ from those in force, in what they mean',
          body: schemas.routingText,
          response: answers(schemas.rulesDiff),
        },
        config: changing,
        bodyLimit: BODY_LIMIT,
      },
      ({ body }) => orProblem(() => desk.diff(body.text)),
    );

    api.post(
      '/routing/replay',
      {
        schema: {
          summary: 'Which studies that really came would go elsewhere by the rules of a text',
          body: schemas.replayRequest,
          response: answers(schemas.replay),
        },
        config: replaying,
        bodyLimit: BODY_LIMIT,
      },
      ({ body }) => orProblem(() => desk.replay(body.text, body.days)),
    );

    api.put(
      '/routing',
      {
        schema: {
          summary: 'Applies a text, if nobody has changed the file since it was read',
          headers: schemas.ifMatch,
          body: schemas.routingChange,
          response: answers(schemas.applied),
        },
        config: changing,
        bodyLimit: BODY_LIMIT,
      },
      async (request) => {
        const { text, reason } = request.body;
        const from = request.headers['if-match'].replaceAll('"', '');
        const { name } = callerOf(request);
        const applied = await orProblem(() => desk.apply(text, from, name, reason));
        const subject = `version ${applied.number}`;
        audit({ actor: name, action: 'config-applied', subject, detail: { reason } });
        return applied;
      },
    );

    api.get(
      '/routing/history',
      {
        schema: {
          summary: 'The versions that were applied: when, by whom and why',
          querystring: schemas.historyQuery,
          response: answers(schemas.history),
        },
        config: reading,
      },
      ({ query: { limit, cursor } }) => desk.history(limit, cursor),
    );

    api.get(
      '/routing/history/:number',
      {
        schema: {
          summary: 'A version with its text',
          params: schemas.versionParams,
          response: answers(schemas.versionText),
        },
        config: reading,
      },
      ({ params }) => orProblem(() => desk.version(params.number)),
    );

    api.post(
      '/routing/rollback',
      {
        schema: {
          summary: 'Writes an earlier version again',
          body: schemas.rollbackRequest,
          response: answers(schemas.applied),
        },
        config: changing,
      },
      async (request) => {
        const { version, reason } = request.body;
        const { name } = callerOf(request);
        const applied = await orProblem(() => desk.rollback(String(version), name, reason));
        const subject = `version ${applied.number}`;
        const detail = { reason, rollbackTo: version };
        audit({ actor: name, action: 'config-rolled-back', subject, detail });
        return applied;
      },
    );
  };
}

/** What is wrong with a text, or cannot be done with the file, becomes a problem. */
async function orProblem<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ConfigError) {
      const { problems } = error;
      const detail = `The text has ${problems.length} problems`;
      throw new ApiProblem(422, detail, { problems: [...problems] });
    }
    if (error instanceof ConfigConflictError) {
      const headers = { etag: `"${error.hash}"` };
      throw new ApiProblem(412, error.message, { headers });
    }
    if (error instanceof NoVersionError) throw new ApiProblem(404, error.message);
    if (error instanceof ConfigNotWritableError) throw new ApiProblem(409, error.message);
    throw error;
  }
}
