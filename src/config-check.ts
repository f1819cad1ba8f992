import { expiryWarning, tlsUses } from './certificates.js';
import type { Environment } from './config/environment.js';
import { type LoadedSettings, parseSettings } from './config/load-settings.js';
import { ConfigError, type ConfigProblem } from './config/problems.js';
import type { Settings } from './config/settings.js';
import { PasscodeFileError, userIdentityOf } from './deliver/peer-user.js';
import { readModelPackage } from './infer/model-package.js';
import { ModelPackageError, type ModelPackageErrorCode } from './infer/model-package-error.js';
import { fitted } from './infer/site-calibration.js';
import { readSecret } from './notify/channel-files.js';
import { readUserFile, UserFileError } from './receive/user-file.js';
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
  const { problems: ofCertificates, warnings } = await checkCertificates(loaded.settings);
  const problems = [
    ...ofCertificates,
    ...(await checkUsers(loaded.settings)),
    ...(await checkSecrets(loaded.settings)),
    ...(await checkModels(loaded.settings)),
  ];
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

/** What is wrong with the files of users and passcodes. */
async function checkUsers({ receive, destinations, scanners }: Settings): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const note = (path: string, error: unknown): void => {
    const isKnown = error instanceof UserFileError || error instanceof PasscodeFileError;
    if (!isKnown) throw error;
    problems.push({ path, message: error.message });
  };
  const rules = receive.access === 'any' ? [] : receive.access;
  for (const [index, { users }] of rules.entries()) {
    if (users === 'any') continue;
    await readUserFile(users).catch((error) => note(`receive.access[${index}].users`, error));
  }
  for (const [section, peers] of Object.entries({ destinations, scanners })) {
    for (const { name, user } of peers) {
      if (user === undefined) continue;
      const path = `${section}.${name}.user.passcodeFile`;
      await userIdentityOf(user).catch((error) => note(path, error));
    }
  }
  return problems;
}

/** What is wrong with the model packages and what the site has set for them: the next start would meet it. */
async function checkModels({ inference }: Settings): Promise<ConfigProblem[]> {
  const { signedBy, secondReaders } = inference;
  const uses = [
    { path: 'inference', ...inference },
    ...secondReaders.map((one) => ({ path: `inference.secondReaders.${one.name}`, ...one })),
  ];
  const problems: ConfigProblem[] = [];
  for (const { path, model, ...fit } of uses) {
    try {
      await fitted(await readModelPackage(model, signedBy), fit);
    } catch (error) {
      if (!(error instanceof ModelPackageError)) throw error;
      problems.push({ path: placeOf(error.code, path), message: error.message });
    }
  }
  return problems;
}

/** The key that a fault of a package is mended at. */
function placeOf(code: ModelPackageErrorCode, path: string): string {
  if (/^(key|signature)-/.test(code)) return 'inference.signedBy';
  return `${path}.${/^(calibration|prevalence)/.exec(code)?.[0] ?? 'model'}`;
}

/** What is wrong with the files of passwords, tokens and keys that Vigil signs in or signs with. */
async function checkSecrets({ channels, admin }: Settings): Promise<ConfigProblem[]> {
  const files = channels.flatMap(({ name, protocol }) =>
    (['secretFile', 'passwordFile', 'tokenFile'] as const).map((key) => ({
      path: `channels.${name}.${protocol.type}.${key}`,
      file: (protocol as Partial<Record<typeof key, string>>)[key],
    })),
  );
  files.push({ path: 'admin.oidc.clientSecretFile', file: admin.oidc?.clientSecretFile });
  const problems: ConfigProblem[] = [];
  for (const { path, file } of files) {
    if (file === undefined) continue;
    await readSecret(file).catch((error: NodeJS.ErrnoException) => {
      const { code = 'unknown' } = error;
      const hint = code === 'EACCES' ? ': the user that runs Vigil must be able to read it' : '';
      const what = code === 'empty' ? 'is empty' : `cannot be read (${code})${hint}`;
      problems.push({ path, message: `${file} ${what}` });
    });
  }
  return problems;
}
