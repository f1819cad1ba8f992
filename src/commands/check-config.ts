import { readConfigText } from '../config/load-settings.js';
import { ConfigError, problemText } from '../config/problems.js';
import { checkText } from '../config-check.js';
import { EXIT } from './exit-codes.js';

/** `vigil check-config <file>`: every problem at once, each with its place and a hint. */
export async function runCheckConfig(options: { file: string; json: boolean }): Promise<number> {
  try {
    const { path, text } = await readConfigText(options.file);
    const { file, warnings } = await checkText(text, path);
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
