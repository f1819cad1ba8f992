import { type ChannelTimeout, failed, type Tell } from './channel.js';
import { readChannelFiles } from './channel-files.js';
import { diagnosticReport, reportIdentifier } from './diagnostic-report.js';
import { sendRequest } from './http-request.js';

export interface FhirChannel extends ChannelTimeout {
  readonly type: 'fhir';
  /** The server's base, without a slash at its end. */
  readonly url: string;
  /** Absolute path of the file with a bearer token (RFC 6750). */
  readonly tokenFile?: string | undefined;
  /** For basic authentication (RFC 7617), together with the absolute path of the file with the password. */
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  /** Absolute path of a PEM file. */
  readonly authorities?: string | undefined;
  readonly patientData: boolean;
}

/**
 * Tells a FHIR server. A conditional update (FHIR R4 3.1.0.4.3) makes a study's report or takes the place of the one
 * before, so that a repeat makes no second one.
 */
export function fhir(channel: FhirChannel): Tell {
  return async (notification, signal) => {
    const { url, tokenFile, user, passwordFile, timeoutMs, patientData } = channel;
    const files = await readChannelFiles(tokenFile ?? passwordFile, channel.authorities);
    if ('type' in files) return files;
    const { secret, authorities } = files;
    if (user === undefined && secret !== undefined && !TOKEN.test(secret)) {
      return failed(
        'transient',
        'secret-unreadable',
        'The file of the token holds no bearer token',
      );
    }
    const { system, value } = reportIdentifier(notification);
    const query = new URLSearchParams({ identifier: `${system}|${value}` });
    return sendRequest({
      method: 'PUT',
      url: `${url}/DiagnosticReport?${query}`,
      headers: {
        'content-type': 'application/fhir+json; charset=utf-8',
        accept: 'application/fhir+json',
        prefer: 'return=minimal',
        'user-agent': 'Vigil',
        ...(secret !== undefined && { authorization: authorization(user, secret) }),
      },
      body: JSON.stringify(diagnosticReport(notification, patientData)),
      timeoutMs,
      authorities,
      signal,
    });
  };
}

/** RFC 6750 2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

function authorization(user: string | undefined, secret: string): string {
  if (user === undefined) return `Bearer ${secret}`;
  return `Basic ${Buffer.from(`${user}:${secret}`, 'utf8').toString('base64')}`;
}
