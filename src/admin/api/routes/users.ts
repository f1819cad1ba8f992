import { z } from 'zod';
import type { Accounts } from '../../users/accounts.js';
import { callerOf } from '../access.js';
import { answers, NO_CONTENT } from '../answers.js';
import type { ApiRoutes } from '../api.js';
import * as schemas from '../schemas/users.js';
import { orProblem } from './session.js';

const userParams = z.object({ name: z.string().max(64) });
const tokenParams = z.object({ id: z.coerce.number().int().min(1) });
const config = { access: 'admin' } as const;

/** Accounts and API tokens. */
export function userRoutes(accounts: Accounts): ApiRoutes {
  return (api) => {
    api.get(
      '/users',
      { schema: { summary: 'All accounts', response: answers(schemas.users) }, config },
      () => ({ users: accounts.list() }),
    );

    api.post(
      '/users',
      {
        schema: {
          summary: 'Adds an account',
          body: schemas.newUser,
          response: answers(schemas.user),
        },
        config,
      },
      (request) => orProblem(() => accounts.add(request.body, callerOf(request).name)),
    );

    api.patch(
      '/users/:name',
      {
        schema: {
          summary: "Changes an account's role or password, disables or enables it",
          params: userParams,
          body: schemas.userChange,
          response: answers(schemas.user),
        },
        config,
      },
      (request) =>
        orProblem(() => accounts.change(request.params.name, request.body, callerOf(request).name)),
    );

    api.delete(
      '/users/:name',
      {
        schema: { summary: 'Removes an account', params: userParams, response: NO_CONTENT },
        config,
      },
      async (request, reply) => {
        await orProblem(() => accounts.remove(request.params.name, callerOf(request).name));
        return reply.code(204).send(null);
      },
    );

    api.get(
      '/tokens',
      { schema: { summary: 'All API tokens', response: answers(schemas.tokens) }, config },
      () => ({ tokens: accounts.tokens() }),
    );

    api.post(
      '/tokens',
      {
        schema: {
          summary: 'Makes an API token; its secret is told this once',
          body: schemas.newToken,
          response: answers(schemas.createdToken),
        },
        config,
      },
      (request) => orProblem(() => accounts.addToken(request.body, callerOf(request).name)),
    );

    api.delete(
      '/tokens/:id',
      {
        schema: { summary: 'Revokes an API token', params: tokenParams, response: NO_CONTENT },
        config,
      },
      async (request, reply) => {
        await orProblem(() => accounts.removeToken(request.params.id, callerOf(request).name));
        return reply.code(204).send(null);
      },
    );
  };
}
