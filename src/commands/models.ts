import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadSettings } from '../config/load-settings.js';
import { openModelPackage } from '../infer/model-package.js';
import { EXIT } from './exit-codes.js';
import { table } from './text.js';

/** `vigil models`: the packages beside the configured ones (`*` decides, `+` reads behind it), each checked against its hashes and, where asked for, its signature. */
export async function runModels(options: { config: string; json: boolean }): Promise<number> {
  const { settings } = await loadSettings(options.config);
  const { model: configured, secondReaders, signedBy } = settings.inference;
  const named = [configured, ...secondReaders.map(({ model }) => model)];
  const beside = await Promise.all([...new Set(named.map(dirname))].map(packageFolders));
  const models = await Promise.all(
    [...new Set([...beside.flat(), ...named])].sort().map(async (folder) => {
      const inUse = folder === configured;
      const readers = secondReaders.filter(({ model }) => model === folder).map(({ name }) => name);
      try {
        const { identity, manifest } = await openModelPackage(folder, signedBy);
        const { description, licence } = manifest;
        return { folder, inUse, readers, ok: true as const, ...identity, description, licence };
      } catch (error) {
        return { folder, inUse, readers, ok: false as const, error: (error as Error).message };
      }
    }),
  );
  if (options.json) console.log(JSON.stringify({ models }));
  else {
    const rows = models.map((model) => [
      `${model.inUse ? '*' : ' '}${model.readers.length > 0 ? '+' : ' '}`,
      model.ok ? `${model.name} ${model.version}` : model.folder,
      model.ok ? model.hash.slice(0, 12) : 'refused',
      model.ok ? model.description : model.error,
    ]);
    console.log(table(rows));
  }
  const refused = models.some(({ ok, inUse, readers }) => !ok && (inUse || readers.length > 0));
  return refused ? EXIT.failed : EXIT.done;
}

async function packageFolders(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(parent, name));
  const holdManifest = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).includes('manifest.json')),
  );
  return folders.filter((_, i) => holdManifest[i]);
}
