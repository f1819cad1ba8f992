import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startOrthanc, startServer } from '../interop/servers.js';

/** A Storage SCP that runs as a process of its own. */
export interface Contestant extends AsyncDisposable {
  readonly aeTitle: string;
  readonly port: number;
  /** The process that receives. */
  readonly pid: number;
  readonly folder: string;
}

const VIGIL = join(import.meta.dirname, '../../dist/cli.js');

/** The built node as `vigil start` runs it, with nothing in its storage or what is there; `more` are sections of its configuration. */
export async function startVigil({ more = '', storage = './data' } = {}): Promise<Contestant> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-bench-'));
  const port = await freePort();
  const configuration = join(folder, 'vigil.yaml');
  const text = `
node: { aeTitle: VIGIL, host: 127.0.0.1, port: ${port} }
storage: { folder: ${storage}, minFreeMb: 1 }
admin: { port: 0 }
log: { level: error }
${more}`;
  await writeFile(configuration, text);
  const server = await startServer(process.execPath, [VIGIL, 'start', '-c', configuration], port);
  return contestant('VIGIL', port, server, folder);
}

/** Vigil's own receiver with no storage behind it: the most that its network side can do. */
export async function startSink(): Promise<Contestant> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-bench-'));
  const port = await freePort();
  const args = ['--import', 'tsx', join(import.meta.dirname, 'sink.ts'), `${port}`];
  return contestant('SINK', port, await startServer(process.execPath, args, port), folder);
}

export async function startStorescp(): Promise<Contestant> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-bench-'));
  const port = await freePort();
  await mkdir(join(folder, 'data'));
  const args = ['-aet', 'STORESCP', '-pm', '-od', join(folder, 'data'), '--fork', `${port}`];
  return contestant('STORESCP', port, await startServer('storescp', args, port), folder);
}

export interface OrthancPeer extends Contestant {
  /** The kinds of the changes after the given one, and the number of the last. */
  changes(since: number): Promise<{ readonly types: readonly string[]; readonly last: number }>;
}

export async function startOrthancPeer(
  more: Readonly<Record<string, unknown>> = {},
): Promise<OrthancPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-bench-'));
  const server = await startOrthanc(folder, {}, more);
  return {
    ...contestant('ORTHANC', server.port, server, folder),
    changes: async (since) => {
      const response = await server.get(`/changes?since=${since}&limit=1000`);
      const { Changes, Last } = (await response.json()) as {
        Changes: { ChangeType: string }[];
        Last: number;
      };
      return { types: Changes.map(({ ChangeType }) => ChangeType), last: Last };
    },
  };
}

function contestant(
  aeTitle: string,
  port: number,
  server: { readonly pid: number } & AsyncDisposable,
  folder: string,
): Contestant {
  return {
    aeTitle,
    port,
    pid: server.pid,
    folder,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
