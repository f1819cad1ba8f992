import { z } from 'zod';

/** The data of one server-sent event; its id is for Last-Event-ID. `reset`: ask for everything anew. */
export const liveEvent = z.object({
  kind: z.enum(['study', 'delivery', 'operations', 'routing', 'reset']),
  studyInstanceUid: z.string().exactOptional(),
});

export type LiveEvent = z.output<typeof liveEvent>;
