import type { App } from '../../../src/app.js';
import { Client } from './api-rig.js';

/** As a browser goes to the identity provider and back; `change` is what somebody does to the way back. */
export async function wayBack(node: App, change: (url: URL) => void = () => {}) {
  const client = new Client(node);
  const start = await fetch(`${client.base}/api/v1/oidc/start`, { redirect: 'manual' });
  const [cookie = ''] = start.headers.getSetCookie();
  const there = start.headers.get('location') ?? '';
  const answered = await fetch(there, { redirect: 'manual' });
  const back = new URL(answered.headers.get('location') ?? '');
  change(back);
  const go = (headers: Record<string, string> = { cookie: cookie.split(';')[0] ?? '' }) =>
    fetch(back, { redirect: 'manual', headers });
  return { cookie, there: new URL(there), back, go };
}

export function sessionCookieOf(response: Response): string | undefined {
  return cookieOf(response, 'vigil-session');
}

/** Somebody whom the identity provider has signed in. */
export async function signedInThere(node: App): Promise<Client> {
  const client = new Client(node);
  client.cookie = sessionCookieOf(await (await wayBack(node)).go());
  const { csrfToken } = await client.json('/session');
  client.csrfToken = String(csrfToken);
  return client;
}

/** Signs out; `go` is what the browser asks for next. */
export async function leave(client: Client) {
  const { cookie: session } = client;
  const response = await client.ask('DELETE', '/session');
  const text = await response.text();
  const departure = cookieOf(response, 'vigil-departure');
  const { next = '' } = text === '' ? {} : JSON.parse(text);
  const go = (cookie = departure) =>
    fetch(new URL(next, client.base), { redirect: 'manual', headers: cookie ? { cookie } : {} });
  client.cookie = session;
  return { response, text, departure, go };
}

function cookieOf(response: Response, name: string): string | undefined {
  const cookies = response.headers.getSetCookie();
  return cookies.find((one) => one.startsWith(`${name}=`))?.split(';')[0];
}
