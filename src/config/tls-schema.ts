import { z } from 'zod';
import { host, pemFile } from './schema-values.js';

/** How to speak TLS with a peer that Vigil calls. */
export const peerTls = z
  .strictObject({
    authorities: pemFile.describe(
      "Certificates (PEM) of the authorities that the peer's certificate may lead to. Relative to the configuration file.",
    ),
    certificate: pemFile
      .exactOptional()
      .describe("Vigil's certificate (PEM) for a peer that asks for one."),
    key: pemFile.exactOptional().describe('Its private key (PEM), without a passphrase.'),
    serverName: host
      .exactOptional()
      .describe("Name that the peer's certificate must have; the peer's host where absent."),
  })
  .refine(({ certificate, key }) => (certificate === undefined) === (key === undefined), {
    error: 'has only one of certificate and key',
    params: { hint: 'give both, or neither where the peer asks for no certificate' },
  });

export type PeerTlsText = z.output<typeof peerTls>;
