import type { FastifyRequest } from 'fastify';
import type { AuditRecord } from '../../users/account-rows.js';
import { callerOf } from '../access.js';
import { answers } from '../answers.js';
import type { ApiRoutes } from '../api.js';
import { ApiProblem } from '../api-problem.js';
import * as destinationSchemas from '../schemas/destinations.js';
import * as schemas from '../schemas/studies.js';

/** What people have the node do; the same functions serve the command line. */
export interface Actions {
  /** Names of the configuration's destinations, with where they are. */
  destinations(): destinationSchemas.Destinations['destinations'];
  /** Makes the newest report's settled deliveries due again; how many. */
  resend(studyInstanceUid: string, destinations: readonly string[]): number;
  /** False where the study is not in the catalog. */
  reanalyse(studyInstanceUid: string): boolean;
  /** Takes note of a study's conflicts; how many. */
  settle(studyInstanceUid: string): number;
  echo(destination: string): Promise<destinationSchemas.EchoResult>;
  check(destination: string): Promise<destinationSchemas.CheckResult>;
}

const config = { access: 'operator' } as const;
/** Each asks another machine, and may wait for it. */
const asking = { access: 'operator', rateLimit: { max: 30, timeWindow: '1 minute' } } as const;

/** What operators do about a study, and ask of destinations. */
export function actionRoutes(actions: Actions, audit: (line: AuditRecord) => void): ApiRoutes {
  const note = (
    request: FastifyRequest,
    action: string,
    subject: string,
    detail: AuditRecord['detail'] = {},
  ) => audit({ actor: callerOf(request).name, action, subject, detail });

  const known = (names: readonly string[] | undefined): string[] => {
    const all = actions.destinations().map(({ name }) => name);
    const unknown = names?.find((name) => !all.includes(name));
    if (unknown !== undefined) {
      throw new ApiProblem(404, `The configuration names no destination "${unknown}"`);
    }
    return [...(names ?? all)];
  };

  return (api) => {
    api.post(
      '/studies/:study/resend',
      {
        schema: {
          summary: "Sends a study's newest report again, with the same UIDs",
          params: schemas.studyParams,
          body: schemas.resendRequest.nullish(),
          response: answers(schemas.resent),
        },
        config,
      },
      (request) => {
        const { study } = request.params;
        const destinations = known(request.body?.destinations);
        const deliveries = actions.resend(study, destinations);
        if (deliveries === 0) {
          throw new ApiProblem(409, 'Nothing to resend: the study has no settled delivery there');
        }
        note(request, 'resend', study, { destinations, deliveries });
        return { deliveries };
      },
    );

    api.post(
      '/studies/:study/reanalyse',
      {
        schema: {
          summary: 'Chooses and reads the series again',
          params: schemas.studyParams,
          response: answers(schemas.reanalysis),
        },
        config,
      },
      (request) => {
        const { study } = request.params;
        if (!actions.reanalyse(study)) throw new ApiProblem(404, 'There is no such study');
        note(request, 'reanalyse', study);
        return { requested: true } as const;
      },
    );

    api.post(
      '/studies/:study/settle',
      {
        schema: {
          summary: 'Takes note of the conflicts of a study: no alarm any more, no report changes',
          params: schemas.studyParams,
          response: answers(schemas.settled),
        },
        config,
      },
      (request) => {
        const { study } = request.params;
        const conflicts = actions.settle(study);
        if (conflicts === 0) {
          throw new ApiProblem(409, 'Nothing to settle: no open conflict there');
        }
        note(request, 'settle', study, { conflicts });
        return { conflicts };
      },
    );

    api.get(
      '/destinations',
      {
        schema: {
          summary: 'Where results can go',
          response: answers(destinationSchemas.destinations),
        },
        config: { access: 'viewer' },
      },
      () => ({ destinations: actions.destinations() }),
    );

    api.post(
      '/destinations/:name/echo',
      {
        schema: {
          summary: 'Asks whether a destination answers (C-ECHO), and how fast',
          params: destinationSchemas.destinationParams,
          response: answers(destinationSchemas.echoResult),
        },
        config: asking,
      },
      async (request) => {
        const { name } = request.params;
        known([name]);
        const result = await actions.echo(name);
        note(request, 'echo', name, { ok: result.ok });
        return result;
      },
    );

    api.post(
      '/destinations/:name/check',
      {
        schema: {
          summary: 'Asks which objects a destination takes and how; nothing is sent to it',
          params: destinationSchemas.destinationParams,
          response: answers(destinationSchemas.checkResult),
        },
        config: asking,
      },
      async (request) => {
        const { name } = request.params;
        known([name]);
        const result = await actions.check(name);
        note(request, 'check-destination', name, { answered: result.answered, ok: result.ok });
        return result;
      },
    );
  };
}
