import { z } from 'zod';
import { problem } from './schemas/common.js';

/** The answers of a route for its schema: the good one, and problems for every other. */
export function answers<S extends z.ZodType>(ok: S) {
  return { 200: ok, '4xx': problem, '5xx': problem };
}

/** As `answers`, for one without a body. */
export const NO_CONTENT = { 204: z.null(), '4xx': problem, '5xx': problem };

/** As `answers`, for bytes of a media type. */
export function bytes(mediaType: string, description: string) {
  const schema = z.unknown().meta({ type: 'string', format: 'binary' });
  return {
    200: { description, content: { [mediaType]: { schema } } },
    '4xx': problem,
    '5xx': problem,
  };
}

/** Few enough that guessing is hopeless, enough for a hand that slips. */
export const GUESSABLE = { max: 30, timeWindow: '1 minute' } as const;
