import { expiryWarning, tlsUses } from '../certificates.js';
import { ConfigError, type ConfigProblem, problemText } from '../config/problems.js';
import { loadSettings, type Settings } from '../config/settings.js';
import { CredentialsError, readCredentials } from '../tls/credentials.js';
import { EXIT } from './exit-codes.js';

/** `vigil check-config <file>`: every problem at once, each with its place and a hint. */
export async function runCheckConfig(options: { file: string; json: boolean }): Promise<number> {
  try {
    const { file, settings, warnings: fromKeys } = await loadSettings(options.file);
    const certificates = await checkCertificates(settings);
    if (certificates.problems.length > 0) throw new ConfigError(file, certificates.problems);
    const warnings = [...fromKeys, ...certificates.warnings];
    if (options.json) console.log(JSON.stringify({ file, ok: true, problems: [], warnings }));
    else {
      for (const warning of warnings) console.log(`warning:${problemText(warning).slice(1)}`);
      console.log(`${file} is good`);
    }
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { file, problems } = error;
    if (options.json) console.log(JSON.stringify({ file, ok: false, problems, warnings: [] }));
    else console.error(error.message);
    return EXIT.usage;
  }
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
