import { userInfo } from 'node:os';

/** Who gives a command, for what is kept of it: the operating system's user, behind sudo too. */
export function operatorName(env: NodeJS.ProcessEnv = process.env): string {
  const user = userName();
  const { SUDO_USER } = env;
  return user === 'root' && SUDO_USER ? `${SUDO_USER} (root)` : user;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user need not have a name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
