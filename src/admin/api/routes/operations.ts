import { answers } from '../answers.js';
import type { ApiRoutes } from '../api.js';
import { type Operations, operations } from '../schemas/operations.js';

/** What the node does, and how it is. */
export function operationsRoutes(report: () => Promise<Operations>): ApiRoutes {
  return (api) => {
    api.get(
      '/operations',
      {
        schema: {
          summary: 'Queues, throughput, destinations, senders and results',
          response: answers(operations),
        },
        config: { access: 'viewer' },
      },
      () => report(),
    );
  };
}
