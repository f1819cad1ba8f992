import { z } from 'zod';
import { role, time } from './common.js';
import { password, userName } from './session.js';

export const user = z.object({
  name: z.string(),
  role,
  origin: z.enum(['local', 'oidc']),
  disabled: z.boolean(),
  createdAt: time,
  lastSignInAt: time.nullable(),
  lockedUntil: time.nullable().describe('After repeated failures; null where it is not locked.'),
});
export const users = z.object({ users: z.array(user) });

export const newUser = z.object({ name: userName, role, password });

export const userChange = z
  .object({
    role: role.exactOptional(),
    disabled: z.boolean().exactOptional().describe('Ends all sessions of the account.'),
    password: password.exactOptional().describe('Ends all sessions and the lock-out.'),
  })
  .refine((change) => Object.keys(change).length > 0, 'changes nothing');

export const SCOPES = ['read', 'operate', 'admin'] as const;
export const scope = z.enum(SCOPES).describe('As the roles viewer, operator and admin.');
export type Scope = z.output<typeof scope>;

export const token = z.object({
  id: z.int(),
  name: z.string(),
  scope,
  createdBy: z.string(),
  createdAt: time,
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable(),
});
export const tokens = z.object({ tokens: z.array(token) });

export const newToken = z.object({
  name: z
    .string()
    .trim()
    .min(1)
    .max(64)
    .regex(/^\P{Cc}*$/u, 'has a control character'),
  scope,
  days: z.int().min(1).max(3660).exactOptional().describe('Until it expires; never if left out.'),
});

export const createdToken = token.extend({
  secret: z.string().describe('Shown this once: only its hash is kept.'),
});

export type User = z.output<typeof user>;
export type NewUser = z.output<typeof newUser>;
export type UserChange = z.output<typeof userChange>;
export type Token = z.output<typeof token>;
export type NewToken = z.output<typeof newToken>;
