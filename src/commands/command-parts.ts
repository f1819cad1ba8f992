import { Option } from 'commander';
import { exitCodeOf } from './exit-codes.js';

export const config = () =>
  new Option('-c, --config <file>', 'configuration file')
    .default('config/vigil.yaml')
    .env('VIGIL_CONFIG');
export const json = () =>
  new Option('--json', 'print one JSON object instead of text').default(false);

/** Runs a command and ends with its exit code; what it throws is said in one line. */
export function ending<Args extends unknown[]>(run: (...args: Args) => Promise<number>) {
  return async (...args: Args): Promise<void> => {
    try {
      process.exitCode = await run(...args);
    } catch (error) {
      console.error((error as Error).message);
      process.exitCode = exitCodeOf(error);
    }
  };
}
