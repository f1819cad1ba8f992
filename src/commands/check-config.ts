import { ConfigError } from '../config/problems.js';
import { loadSettings } from '../config/settings.js';
import { EXIT } from './exit-codes.js';

/** `vigil check-config <file>`: every problem at once, each with its place and a hint. */
export async function runCheckConfig(options: { file: string; json: boolean }): Promise<number> {
  try {
    const { file, warnings } = await loadSettings(options.file);
    if (options.json) console.log(JSON.stringify({ file, ok: true, problems: [], warnings }));
    else {
      for (const warning of warnings) console.log(`warning: ${warning}`);
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
