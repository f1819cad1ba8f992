import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findTool } from './tools.js';

/** Below those that Linux gives to outgoing connections (ip(7)), of which one could take a port that was free before. */
const PORTS = [15_000, 32_000] as const;

/** A port that was free a moment ago, for programs that cannot take one by themselves. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...PORTS);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

/**
 * Starts an Orthanc with its data in a folder. `modalities` are the nodes that it knows, as `name: [AE title, port]`;
 * `more` are further keys of its configuration.
 */
export async function startOrthanc(
  folder: string,
  modalities: Readonly<Record<string, readonly [aeTitle: string, port: number]>> = {},
  more: Readonly<Record<string, unknown>> = {},
) {
  const [port, httpPort] = [await freePort(), await freePort()];
  const configuration = join(folder, 'orthanc.json');
  await mkdir(folder, { recursive: true });
  await writeFile(
    configuration,
    JSON.stringify({
      StorageDirectory: join(folder, 'storage'),
      IndexDirectory: join(folder, 'storage'),
      DicomAet: 'ORTHANC',
      DicomPort: port,
      DicomCheckCalledAet: true,
      // It aborts the association of a caller that it does not know and that wants to find something.
      DicomAlwaysAllowFind: true,
      HttpPort: httpPort,
      AuthenticationEnabled: false,
      Plugins: [],
      DicomModalities: Object.fromEntries(
        Object.entries(modalities).map(([name, [aeTitle, at]]) => [
          name,
          [aeTitle, '127.0.0.1', at],
        ]),
      ),
      ...more,
    }),
  );
  const server = await startServer('Orthanc', [configuration], port, httpPort);
  const url = (path: string) => `http://127.0.0.1:${httpPort}${path}`;
  return {
    port,
    pid: server.pid,
    get: (path: string) => fetch(url(path)),
    delete: (path: string) => fetch(url(path), { method: 'DELETE' }),
    post: (path: string, body: Buffer | string) => fetch(url(path), { method: 'POST', body }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Starts a program that serves on ports and waits until it does; ended with its scope. */
export async function startServer(
  tool: string,
  args: readonly string[],
  ...ports: readonly number[]
): Promise<{ readonly pid: number } & AsyncDisposable> {
  // Without TCP_NODELAY DCMTK's peers wait 40 ms for each message's acknowledgement.
  const env = { ...process.env, TCP_NODELAY: '1' };
  const child = spawn(findTool(tool) ?? tool, args, { env, stdio: 'ignore' });
  const server = {
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
  try {
    for (const port of ports) await untilListening(child, port);
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await delay(50);
    } finally {
      socket.destroy();
    }
  }
  throw new Error('The server does not listen');
}
