import { expiryWarning, tlsUses } from './certificates.js';
import type { Environment } from './config/environment.js';
import { ConfigError, type ConfigProblem } from './config/problems.js';
import { type LoadedSettings, parseSettings, type Settings } from './config/settings.js';
import { CredentialsError, readCredentials } from './tls/credentials.js';

/**
 * What a text would be as the configuration in that file, with the files that it names: all that is known before it is
 * in force.
 * @throws ConfigError with every problem at once
 */
export async function checkText(
  text: string,
  file: string,
  env: Environment = process.env,
): Promise<LoadedSettings> {
  const loaded = parseSettings(text, file, env);
  const { problems, warnings } = await checkCertificates(loaded.settings);
  if (problems.length > 0) throw new ConfigError(file, problems);
  return { ...loaded, warnings: [...loaded.warnings, ...warnings] };
}

/** What is wrong with the files that TLS needs, and what will be soon. */
async function checkCertificates(
  settings: Settings,
): Promise<{ problems: ConfigProblem[]; warnings: ConfigProblem[] }> {
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  const now = Date.now();
  for (const [use, files] of tlsUses(settings)) {
    try {
      const { expiresAt } = await readCredentials(files, now);
      const warning = expiryWarning(expiresAt, now);
      if (warning !== undefined) warnings.push({ path: use, message: warning });
    } catch (error) {
      if (!(error instanceof CredentialsError)) throw error;
      problems.push({ path: `${use}.${error.key}`, message: error.message });
    }
  }
  return { problems, warnings };
}
