import { resolve } from 'node:path';
import type { OidcText } from './oidc-schema.js';

/** An identity provider that people sign in with. */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Absolute path. */
  readonly clientSecretFile?: string;
  readonly title: string;
  readonly scope: string;
  readonly signOutAtProvider: boolean;
  readonly nameClaim: string;
  readonly roleClaim: string;
  /** The values of the claim that give a role. */
  readonly roles: Readonly<Partial<Record<'viewer' | 'operator' | 'admin', readonly string[]>>>;
}

export function oidcSettings(oidc: OidcText, folder: string): OidcSettings {
  const { clientSecretFile } = oidc;
  return {
    ...oidc,
    ...(clientSecretFile && { clientSecretFile: resolve(folder, clientSecretFile) }),
  };
}
