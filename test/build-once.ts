import { execFileSync } from 'node:child_process';

/** The inference process and the CLI run as built JavaScript, so the tests start from a fresh build. */
export default function setup(): void {
  execFileSync('node', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  });
}
