import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadSettings } from '../config/load-settings.js';
import type { Settings } from '../config/settings.js';
import { CATALOG_FILE, type Catalog, openCatalog } from '../store/database.js';

/** The storage folder holds no catalog: the node has never been started with this configuration. */
export class NoCatalogError extends Error {
  readonly code = 'no-catalog';

  constructor(folder: string) {
    super(
      `${folder} holds no catalog: start the node first, or name its configuration with --config`,
    );
    this.name = 'NoCatalogError';
  }
}

/** Opens the node's catalog beside the running node, for as long as `use` takes. */
export async function withCatalog<T>(
  configFile: string,
  use: (catalog: Catalog, settings: Settings) => T | Promise<T>,
): Promise<T> {
  const { settings } = await loadSettings(configFile);
  const file = join(settings.storage.folder, CATALOG_FILE);
  if (!existsSync(file)) throw new NoCatalogError(settings.storage.folder);
  const catalog = openCatalog(file);
  try {
    return await use(catalog, settings);
  } finally {
    catalog.close();
  }
}
