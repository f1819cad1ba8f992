import type { FastifyInstance } from 'fastify';

/** Nothing from elsewhere, nothing inline, in no frame: a page that was tampered with can do nothing. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
} as const;

const HSTS = { 'strict-transport-security': 'max-age=31536000' } as const;

/** Sets what browsers are told about every answer; `secure` where they come by TLS. */
export function securityHeaders(server: FastifyInstance, secure: boolean): void {
  const headers = secure ? { ...HEADERS, ...HSTS } : HEADERS;
  server.addHook('onRequest', async (_, reply) => {
    reply.headers(headers);
  });
}
