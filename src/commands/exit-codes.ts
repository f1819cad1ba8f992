import { ConfigError } from '../config/problems.js';
import { isCatalogDamage } from '../store/database.js';

/** What `vigil` commands end with. */
export const EXIT = {
  done: 0,
  /** Something was tried and did not work, wholly or in part. */
  failed: 1,
  /** The command line or the configuration is wrong; nothing was tried. */
  usage: 2,
  /** What was asked for is not in the catalog. */
  notFound: 3,
  /** The catalog is damaged: a person has to act before another try. */
  damaged: 4,
} as const;

/** What a command ends with that threw this. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT.usage;
  return isCatalogDamage(error) ? EXIT.damaged : EXIT.failed;
}
