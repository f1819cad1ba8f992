interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** As much of a browser as a sign-in takes: cookies by site and path, redirections, refreshing pages, forms. */
export class Browser {
  readonly #cookies = new Map<string, Cookie[]>();
  /** What the address bar shows. */
  address = new URL('about:blank');
  page = '';

  async open(url: string | URL): Promise<this> {
    await this.#go(new URL(url), {});
    return this;
  }

  /** Presses the button of the page's only form, with what is typed in and what the button says. */
  async submit(typed: Readonly<Record<string, string>>): Promise<this> {
    const [, action] = /<form[^>]* action="([^"]+)"/.exec(this.page) ?? [];
    if (action === undefined) throw new Error(`No form at ${this.address.href}: ${this.page}`);
    const form = new URLSearchParams(typed);
    for (const [input] of this.page.matchAll(/<input[^>]* type="hidden"[^>]*>/g)) {
      const [, name = ''] = / name="([^"]*)"/.exec(input) ?? [];
      const [, value = ''] = / value="([^"]*)"/.exec(input) ?? [];
      form.set(name, value);
    }
    await this.#go(new URL(unescaped(action), this.address), { method: 'POST', body: form });
    return this;
  }

  /** What a script of the page at `url` would get. */
  async ask(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const at = new URL(url);
    const cookies = (this.#cookies.get(at.origin) ?? [])
      .filter(({ path }) => at.pathname === path || at.pathname.startsWith(folderOf(path)))
      .map(({ name, value }) => `${name}=${value}`);
    const response = await fetch(at, {
      ...init,
      redirect: 'manual',
      headers: { ...(init.headers as Record<string, string>), cookie: cookies.join('; ') },
    });
    for (const line of response.headers.getSetCookie()) this.#keep(at, line);
    return response;
  }

  async #go(url: URL, init: RequestInit): Promise<void> {
    let response = await this.ask(url, init);
    let at = url;
    for (let steps = 0; ; steps += 1) {
      if (steps > 20) throw new Error(`${at.href} leads on and on`);
      this.page = await response.text();
      const next =
        response.headers.get('location') ??
        /http-equiv="refresh" content="0; url=([^"]+)"/.exec(this.page)?.[1];
      if (next === undefined || next === null) break;
      at = new URL(next, at);
      response = await this.ask(at);
    }
    this.address = at;
  }

  #keep(at: URL, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const [name = '', ...value] = pair.split('=');
    const attribute = (wanted: string) =>
      attributes
        .find((one) => one.toLowerCase().startsWith(`${wanted}=`))
        ?.slice(wanted.length + 1);
    const path = attribute('path') ?? '/';
    const expires = attribute('expires');
    const isGone = attribute('max-age') === '0' || (expires && Date.parse(expires) < Date.now());
    const others = (this.#cookies.get(at.origin) ?? []).filter(
      (one) => one.name !== name || one.path !== path,
    );
    if (!isGone) others.push({ name, value: value.join('='), path });
    this.#cookies.set(at.origin, others);
  }
}

const folderOf = (path: string) => (path.endsWith('/') ? path : `${path}/`);

const unescaped = (text: string) => text.replaceAll('&amp;', '&').replaceAll('&#x2F;', '/');
