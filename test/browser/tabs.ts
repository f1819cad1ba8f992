import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Client } from '../integration/admin/api-rig.js';
import { findTool } from '../interop/tools.js';

/** A monitor of a reading room and a phone. */
export const WIDTHS = [1440, 390] as const;
const HEIGHTS: Readonly<Record<number, number>> = { 1440: 1000, 390: 844 };

/** Starts Debian's Chromium with a profile of its own that goes when it is closed. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: findTool('chromium') ?? 'chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** One page as somebody sees it, with everything that went wrong in it. */
export class Tab implements AsyncDisposable {
  readonly page: Page;
  readonly base: string;
  /** Errors of scripts, and what the content security policy stopped. */
  readonly faults: string[] = [];

  private constructor(page: Page, base: string) {
    this.page = page;
    this.base = base;
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => {
      // Chromium also writes down each answer that is no success; what the console makes of it is tested for itself.
      const text = message.text();
      if (message.type() === 'error' && !text.startsWith('Failed to load')) this.faults.push(text);
    });
  }

  /** A window of its own, with the session of `client` where one is given. */
  static async open(
    browser: Browser,
    base: string,
    { client, width = 1440 }: { client?: Client; width?: number } = {},
  ): Promise<Tab> {
    const context = await browser.newContext({
      viewport: { width, height: HEIGHTS[width] ?? 1000 },
      reducedMotion: 'reduce',
    });
    const [name, value] = client?.cookie?.split('=', 2) ?? [];
    if (name !== undefined && value !== undefined) {
      await context.addCookies([{ name, value, url: base, httpOnly: true, sameSite: 'Strict' }]);
    }
    return new Tab(await context.newPage(), base);
  }

  /** Opens a page of the console, such as `operations`, and waits for what names it. */
  async goTo(place: string, heading: string | RegExp): Promise<Page> {
    await this.page.goto(`${this.base}/#/${place}`);
    await this.page.getByRole('heading', { level: 1, name: heading }).waitFor();
    const loading = this.page.getByText('Loading…');
    await expect.poll(() => loading.count(), { timeout: 20_000 }).toBe(0);
    return this.page;
  }

  /** What axe has against the page, by WCAG 2.2 A and AA; nothing, if all is well. */
  async accessibilityFaults(): Promise<string[]> {
    const { violations } = await new AxeBuilder({ page: this.page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
      .analyze();
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target }) => `${id} (${help}): ${target.join(' ')}`),
    );
  }

  /** Fails where a script failed, the policy stopped something, axe objects, or the page is wider than the window. */
  async expectSound(): Promise<void> {
    expect(await this.accessibilityFaults()).toEqual([]);
    const overflow = await this.page.evaluate<number>(
      'document.documentElement.scrollWidth - innerWidth',
    );
    expect(overflow).toBeLessThanOrEqual(0);
    expect(this.faults).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}
