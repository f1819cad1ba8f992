import { z } from 'zod';

/**
 * The forms of everything that the admin API takes and gives. The OpenAPI document is made from them, and the console
 * takes its types from here: nothing in this folder imports anything but zod and the domain.
 */

/** Milliseconds since the epoch, UTC. */
export const time = z.int().describe('Milliseconds since the epoch.');

/** A UID (PS3.5 9.1). */
export const uid = z
  .string()
  .max(64)
  .regex(/^[0-9]+(\.[0-9]+)*$/, 'is no UID');

export const reason = z.object({
  code: z.string().describe('For scripts.'),
  text: z.string().describe('For people; holds no patient data.'),
});

/** RFC 9457; `problems` names each fault of a request by its place. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().exactOptional(),
  problems: z.array(z.object({ path: z.string(), message: z.string() })).exactOptional(),
});

export type Problem = z.output<typeof problem>;

/** Who may do what: each role may do what the ones before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export const role = z
  .enum(ROLES)
  .describe(
    'viewer reads; operator also sends and analyses again; admin also changes and manages.',
  );
export type Role = z.output<typeof role>;
