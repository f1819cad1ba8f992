import { fileURLToPath } from 'node:url';

const SOURCE = new URL('.', import.meta.url);

/**
 * Path of a module that runs in a process or thread of its own, as `infer/engine-child`: built JavaScript, also where
 * Vigil itself is run from its source.
 */
export function builtModule(name: string): string {
  const folder = import.meta.url.endsWith('.ts') ? new URL('../dist/', SOURCE) : SOURCE;
  return fileURLToPath(new URL(`${name}.js`, folder));
}
