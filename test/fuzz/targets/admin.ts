import { connect } from 'node:net';
import { pino } from 'pino';
import { Metrics } from '../../../src/admin/metrics.js';
import { AdminServer } from '../../../src/admin/server.js';
import { ALL_IS_WELL } from '../../fixtures/all-is-well.js';
import type { Target } from '../target.js';

const logged: string[] = [];
const server = new AdminServer({
  host: '127.0.0.1',
  port: 0,
  health: async () => ALL_IS_WELL,
  metrics: new Metrics(() => ({ queues: { analyses: 0 }, destinations: [], diskFreeBytes: 1 })),
  log: pino({ level: 'error' }, { write: (line) => logged.push(line) }),
});
await server.start();

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'QUERY'];
const PATHS = ['/healthz', '/metrics', '/', '*', '//', '/%00', '/%zz', '/../../etc/passwd'];
const HEADERS = [
  'Host: a',
  'Content-Length: 4',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Content-Type: application/json',
  'Content-Type: multipart/form-data; boundary=',
  'Expect: 100-continue',
  'Upgrade: websocket',
  'Connection: Upgrade, HTTP2-Settings',
  'Connection: close',
  'Accept-Version: 1',
  'Origin: http://a',
  'X: \x80\xff',
];
const request = (line: string, headers: readonly string[], body = '') =>
  Buffer.from(`${[line, ...headers].join('\r\n')}\r\n\r\n${body}`, 'latin1');

/** What a client sends on one connection to the admin port before it closes its side. */
export const target: Target = {
  seeds: () => [
    ...METHODS.map((method) => request(`${method} /healthz HTTP/1.1`, ['Host: a'])),
    ...PATHS.map((path) => request(`GET ${path} HTTP/1.1`, ['Host: a'])),
    ...HEADERS.map((header) => request('POST /healthz HTTP/1.1', ['Host: a', header], '{"a":')),
    request('PRI * HTTP/2.0', []),
    request('GET /healthz HTTP/1.0', []),
  ],
  dictionary: [
    ...METHODS,
    ...PATHS,
    ...HEADERS,
    ' HTTP/1.1',
    '\r\n',
    '\r\n\r\n',
    '0\r\n\r\n',
    '\0',
  ].map((word) => Buffer.from(word, 'latin1')),
  generate: (random) =>
    Buffer.concat(
      Array.from({ length: 1 + random.below(3) }, () => {
        const headers = Array.from({ length: random.below(5) }, () => random.pick(HEADERS));
        const line = `${random.pick(METHODS)} ${random.pick(PATHS)} HTTP/1.1`;
        return request(line, headers, random.bytes(random.below(30)).toString('latin1'));
      }),
    ),
  longest: 128 * 1024,
  memoryLimitMb: 512,
  run: async (input) => {
    const answer = await ask(input);
    if (answer.length > 0 && !answer.startsWith('HTTP/1.')) throw new Error('No HTTP answer');
    if (/^HTTP\/1\.. 500/m.test(answer)) throw new Error('Internal error');
    if (logged.length > 0)
      throw new Error(`A client caused an error: ${logged.splice(0).join('')}`);
    if (input.length % 64 !== 0) return;
    const healthy = await ask(request('GET /healthz HTTP/1.1', ['Host: a', 'Connection: close']));
    if (!healthy.startsWith('HTTP/1.1 200')) throw new Error('The health is no longer told');
  },
  close: () => server.stop(),
};

async function ask(bytes: Buffer): Promise<string> {
  const socket = connect(server.address?.port ?? 0, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data.toString('latin1');
  });
  // A server that closes while much is still on its way resets the connection.
  socket.on('error', () => undefined);
  socket.end(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
  return answer;
}
