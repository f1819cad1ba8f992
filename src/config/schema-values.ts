import { z } from 'zod';
import { HOST } from './syntax.js';

/* Values that several sections of the configuration file have. */

export const host = z.string().regex(HOST, 'is neither a host name nor an IP address');

/** Relative to the configuration file. */
export const pemFile = z.string().min(1);
