import { resolve } from 'node:path';
import type { ChannelText } from './channel-schema.js';
import { type PeerTlsSettings, peerTlsSettings } from './tls-settings.js';

/** Who is told of findings, as the stage that tells takes it: absolute paths, times in ms. */
export interface ChannelSettings {
  readonly name: string;
  readonly retry: { readonly attempts: number; readonly baseMs: number; readonly capMs: number };
  readonly protocol: EmailSettings | WebhookSettings | Hl7Settings | FhirSettings;
}

export interface EmailSettings {
  readonly type: 'email';
  readonly timeoutMs: number;
  readonly host: string;
  readonly port: number;
  readonly security: 'tls' | 'starttls' | 'none';
  readonly from: string;
  readonly to: readonly string[];
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly authorities?: string | undefined;
  readonly patientData: boolean;
  /** Where people open the console; absent where the configuration does not say. */
  readonly consoleUrl?: string | undefined;
}

export interface WebhookSettings {
  readonly type: 'webhook';
  readonly timeoutMs: number;
  readonly url: string;
  readonly secretFile: string;
  readonly authorities?: string | undefined;
  readonly patientData: boolean;
}

export interface Hl7Settings {
  readonly type: 'hl7';
  readonly timeoutMs: number;
  readonly host: string;
  readonly port: number;
  readonly tls?: PeerTlsSettings;
  readonly sendingApplication: string;
  readonly sendingFacility?: string | undefined;
  readonly receivingApplication?: string | undefined;
  readonly receivingFacility?: string | undefined;
  readonly processingId: 'production' | 'training' | 'debugging';
  readonly patientData: boolean;
}

export interface FhirSettings {
  readonly type: 'fhir';
  readonly timeoutMs: number;
  /** Without a slash at its end. */
  readonly url: string;
  readonly tokenFile?: string | undefined;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly authorities?: string | undefined;
  readonly patientData: boolean;
}

export function channelSettings(
  channels: Readonly<Record<string, ChannelText>>,
  folder: string,
  consoleUrl: string | undefined,
): ChannelSettings[] {
  const at = (file: string | undefined) => file && resolve(folder, file);
  return Object.entries(channels).map(([name, channel]) => {
    const { email, webhook, hl7, fhir, timeoutSeconds } = channel;
    const timeoutMs = Math.round(timeoutSeconds * 1000);
    const { maxAttempts: attempts, retryFirstSeconds, retryLongestSeconds } = channel;
    const retry = {
      attempts,
      baseMs: Math.round(retryFirstSeconds * 1000),
      capMs: Math.round(retryLongestSeconds * 1000),
    };
    if (email !== undefined) {
      const { passwordFile, authorities } = email;
      const files = { passwordFile: at(passwordFile), authorities: at(authorities) };
      const url = consoleUrl?.replace(/\/$/, '');
      const protocol = { type: 'email', timeoutMs, ...email, ...files, consoleUrl: url } as const;
      return { name, retry, protocol };
    }
    if (hl7 !== undefined) {
      const { tls: written, ...rest } = hl7;
      const tls = written && peerTlsSettings(written, hl7.host, folder);
      return { name, retry, protocol: { type: 'hl7', timeoutMs, ...rest, ...(tls && { tls }) } };
    }
    if (fhir !== undefined) {
      const { tokenFile, passwordFile, authorities } = fhir;
      const files = {
        tokenFile: at(tokenFile),
        passwordFile: at(passwordFile),
        authorities: at(authorities),
      };
      const url = fhir.url.replace(/\/+$/, '');
      return { name, retry, protocol: { type: 'fhir', timeoutMs, ...fhir, ...files, url } };
    }
    if (webhook === undefined) throw new Error(`Channel ${name} was not checked`);
    const { secretFile, authorities } = webhook;
    const files = { secretFile: resolve(folder, secretFile), authorities: at(authorities) };
    return { name, retry, protocol: { type: 'webhook', timeoutMs, ...webhook, ...files } };
  });
}
