import { z } from 'zod';

export const destinationParams = z.object({ name: z.string().max(32) });

export const destinations = z.object({
  destinations: z.array(
    z.object({
      name: z.string(),
      aeTitle: z.string(),
      host: z.string(),
      port: z.int(),
      tls: z.boolean(),
    }),
  ),
});

const failure = { ok: z.literal(false), code: z.string(), message: z.string() };

export const echoResult = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    connectMs: z.number(),
    associateMs: z.number(),
    roundTripMs: z.number(),
    totalMs: z.number(),
  }),
  z.object(failure),
]);

export const checkResult = z.discriminatedUnion('answered', [
  z.object({
    answered: z.literal(true),
    ok: z.boolean().describe('Whether all that routes send there is taken.'),
    kinds: z.array(
      z.object({
        kind: z.string(),
        transferSyntaxes: z.array(z.string()).describe('Names of those taken; none: refused.'),
        routes: z.array(z.string()),
        ok: z.boolean(),
        advice: z.string().exactOptional(),
      }),
    ),
    find: z.object({ accepted: z.boolean(), advice: z.string().exactOptional() }),
  }),
  z.object({ ...failure, answered: z.literal(false) }),
]);

export type Destinations = z.output<typeof destinations>;
export type EchoResult = z.output<typeof echoResult>;
export type CheckResult = z.output<typeof checkResult>;
