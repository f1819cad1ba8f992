import type { App } from '../../../src/app.js';

export type Role = 'viewer' | 'operator' | 'admin';

export const PASSWORD = 'correct horse battery';

/** What a browser keeps, and what it sends: a cookie, and the page's own token. */
export class Client {
  readonly base: string;
  cookie: string | undefined;
  csrfToken: string | undefined;

  constructor(app: App) {
    this.base = `http://127.0.0.1:${app.ports.admin}`;
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.base}/api/v1${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.cookie !== undefined && { cookie: this.cookie }),
        ...(this.csrfToken !== undefined && { 'x-csrf-token': this.csrfToken }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const [cookie] = response.headers.getSetCookie();
    if (cookie !== undefined) this.cookie = cookie.split(';')[0];
    return response;
  }

  get(path: string, headers?: Record<string, string>) {
    return this.ask('GET', path, undefined, headers);
  }

  post(path: string, body: unknown = {}, headers?: Record<string, string>) {
    return this.ask('POST', path, body, headers);
  }

  async json(path: string): Promise<Record<string, unknown>> {
    const response = await this.get(path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  }

  async signIn(user: string, password = PASSWORD): Promise<this> {
    this.cookie = undefined;
    const response = await this.post('/session', { user, password });
    if (!response.ok) throw new Error(`sign-in: ${response.status} ${await response.text()}`);
    this.csrfToken = ((await response.json()) as { csrfToken: string }).csrfToken;
    return this;
  }
}

/** The first account, by the link that a first start prints. */
export async function setUp(app: App, user = 'root'): Promise<Client> {
  const link = new URL(app.newSetupLink() ?? '');
  const client = new Client(app);
  const body = { token: link.hash.slice(1), user, password: PASSWORD };
  const response = await client.post('/setup', body);
  if (!response.ok) throw new Error(`set-up: ${response.status} ${await response.text()}`);
  client.csrfToken = ((await response.json()) as { csrfToken: string }).csrfToken;
  return client;
}

/** Somebody signed in for each role; the admin is the first account. */
export async function everyRole(app: App): Promise<Record<Role, Client>> {
  const admin = await setUp(app);
  const clients: Partial<Record<Role, Client>> = { admin };
  for (const role of ['viewer', 'operator'] as const) {
    await admin.post('/users', { name: role, role, password: PASSWORD });
    clients[role] = await new Client(app).signIn(role);
  }
  return clients as Record<Role, Client>;
}
