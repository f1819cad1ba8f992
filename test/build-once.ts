import { execFileSync } from 'node:child_process';

/**
 * The inference process and the CLI run as built JavaScript, and the browser gets the built console, so the tests start
 * from a fresh build.
 */
export default function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
