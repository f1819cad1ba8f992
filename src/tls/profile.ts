import type { SecureContextOptions } from 'node:tls';

/** Registered for DICOM over TLS (PS3.15 B.9). */
export const DICOM_TLS_PORT = 2762;

/**
 * What either side of a connection offers: BCP 195 (RFC 9325 3.1.1, 4.2) as PS3.15 B.9 asks for it. TLS 1.3, or TLS 1.2
 * with ephemeral keys and AEAD; nothing is negotiated below that. Level 2 of OpenSSL's security levels refuses keys under
 * 112 bits of strength, such as RSA of 1024 bits, and signatures with SHA-1.
 */
export const BCP_195 = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    '@SECLEVEL=2',
  ].join(':'),
} as const satisfies SecureContextOptions;
