import { z } from 'zod';
import { role } from './common.js';

export const userName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._@-]{0,63}$/, 'is no name: a-z, 0-9 and . _ @ -, at most 64')
  .describe('Lower case.');

/** Length is what counts; NIST SP 800-63B asks for no classes of characters. */
export const password = z.string().min(12).max(256);

export const setupRequest = z.object({
  token: z.string().max(128).describe('From the one-time set-up link.'),
  user: userName,
  password,
});

export const signInRequest = z.object({
  user: z.string().min(1).max(64),
  password: z.string().min(1).max(256),
});

export const passwordChange = z.object({
  current: z.string().min(1).max(256),
  password,
});

/** What the sign-in page needs before anybody is signed in. */
export const signInOptions = z.object({
  setUpNeeded: z.boolean().describe('There is no account yet: the set-up link makes the first.'),
  oidc: z
    .object({ title: z.string().describe('What the button says.'), url: z.string() })
    .nullable()
    .describe('Null where no identity provider is configured.'),
});

export const session = z.object({
  user: z.string(),
  role,
  csrfToken: z
    .string()
    .nullable()
    .describe('For the header x-csrf-token of every change; null with a bearer token.'),
  origin: z.enum(['local', 'oidc', 'token']),
});

export const signedOut = z.object({
  next: z
    .string()
    .describe(
      'Where the browser goes, within a minute: from there the identity provider ends its session too.',
    ),
});

export type Session = z.output<typeof session>;
export type SignedOut = z.output<typeof signedOut>;
export type SignInOptions = z.output<typeof signInOptions>;
