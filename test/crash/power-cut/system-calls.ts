/** A system call of the recorded process that changed a file or a folder, or made a change durable. */
export type SystemCall =
  | {
      readonly type: 'open';
      readonly path: string;
      readonly create: boolean;
      readonly truncate: boolean;
    }
  | {
      readonly type: 'write';
      readonly path: string;
      readonly offset: number;
      readonly bytes: Buffer;
      /** The file is open with O_DSYNC or O_SYNC: durable when the call returns. */
      readonly durable: boolean;
    }
  | { readonly type: 'truncate'; readonly path: string; readonly length: number }
  | { readonly type: 'sync'; readonly path: string }
  | { readonly type: 'mkdir'; readonly path: string }
  | { readonly type: 'unlink'; readonly path: string }
  | { readonly type: 'rename'; readonly path: string; readonly to: string }
  /** Bytes that went to a socket. */
  | { readonly type: 'sent'; readonly bytes: Buffer };

const TRACED =
  'openat,open,write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,ftruncate';

/** The command that records what follows it into a file; `parseSystemCalls` reads that. */
export const recorder = (file: string): string[] => [
  ...['strace', '-D', '-f', '--seccomp-bpf', '-y', '-xx', '-s', '99999999', '-o', file],
  ...['-e', `trace=${TRACED}`],
];

/** In the order in which the calls returned. @throws Error for a write without an offset to a file of the storage folder */
export function parseSystemCalls(trace: string, root: string): SystemCall[] {
  const pending = new Map<string, string>();
  const synchronous = new Set<string>();
  const calls: SystemCall[] = [];
  for (const line of trace.split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const begun = /^(.*) <unfinished \.\.\.>$/.exec(rest);
    if (begun) {
      pending.set(pid, begun[1] ?? '');
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const text = resumed ? `${pending.get(pid) ?? ''}${resumed[1]}` : rest;
    const call = parseCall(text, root, synchronous);
    if (call) calls.push(call);
  }
  return calls;
}

const HEX = /\\x([0-9a-f]{2})/g;
const bytesOf = (text: string) => Buffer.from(text.replace(HEX, '$1'), 'hex');
const quoted = (text: string) =>
  [...text.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex]) => bytesOf(hex ?? ''));
/** Paths of open files stand in angle brackets. */
const openPath = (text: string) =>
  bytesOf(/<((?:\\x[0-9a-f]{2})+)>/.exec(text)?.[1] ?? '').toString();

function parseCall(text: string, root: string, synchronous: Set<string>): SystemCall | undefined {
  const [, name, args = '', returned = ''] = /^(\w+)\((.*)\) += (-?\d+.*)$/.exec(text) ?? [];
  if (name === undefined || returned.startsWith('-')) return undefined;
  const isOurs = (path: string) => path.startsWith(`${root}/`) && !path.endsWith('-shm');
  switch (name) {
    case 'open':
    case 'openat': {
      const path = openPath(returned);
      if (!isOurs(path)) return undefined;
      const durable = /O_D?SYNC/.test(args);
      if (durable) synchronous.add(path);
      return {
        type: 'open',
        path,
        create: args.includes('O_CREAT'),
        truncate: args.includes('O_TRUNC'),
      };
    }
    case 'write':
    case 'writev':
    case 'pwrite64':
    case 'pwritev': {
      const path = openPath(args);
      const bytes = Buffer.concat(quoted(args)).subarray(0, Number.parseInt(returned, 10));
      if (!path.startsWith('/')) return { type: 'sent', bytes };
      if (!isOurs(path)) return undefined;
      const positioned = name.startsWith('p');
      const offset = positioned ? Number(/, (\d+)$/.exec(args)?.[1]) : Number.NaN;
      return { type: 'write', path, offset, bytes, durable: synchronous.has(path) };
    }
    case 'ftruncate': {
      const path = openPath(args);
      return isOurs(path)
        ? { type: 'truncate', path, length: Number(/, (\d+)$/.exec(args)?.[1]) }
        : undefined;
    }
    case 'fsync':
    case 'fdatasync': {
      const path = openPath(args);
      return path === root || isOurs(path) ? { type: 'sync', path } : undefined;
    }
  }
  const [first = Buffer.alloc(0), second] = quoted(args);
  const path = first.toString();
  if (!isOurs(path)) return undefined;
  if (name.startsWith('mkdir')) return { type: 'mkdir', path };
  if (name.startsWith('unlink') || name === 'rmdir') return { type: 'unlink', path };
  return { type: 'rename', path, to: String(second) };
}
