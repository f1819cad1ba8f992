import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, everyRole, PASSWORD, type Role } from '../integration/admin/api-rig.js';
import { requireTools } from '../interop/tools.js';
import { BrowserNode } from './browser-node.js';
import { startBrowser, Tab, WIDTHS } from './tabs.js';

describe.runIf(requireTools('chromium'))('users, tokens and audit in the console', () => {
  let node: BrowserNode;
  let browser: Browser;
  let people: Record<Role, Client>;
  beforeAll(async () => {
    [node, browser] = [await BrowserNode.start(), await startBrowser()];
    people = await everyRole(node.app);
  });
  afterAll(async () => {
    await browser?.close();
    await node?.[Symbol.asyncDispose]();
  });

  const open = (role: Role, width = 1440) =>
    Tab.open(browser, node.url, { client: people[role], width });

  it.each(['viewer', 'operator'] as const)('are not for a %s', async (role) => {
    await using tab = await open(role);
    for (const place of ['accounts', 'audit']) {
      const page = await tab.goTo(place, 'Not allowed');
      expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0);
      await tab.expectSound();
    }
  });

  it.each(WIDTHS)(
    'adds a user who can sign in, changes the role, disables, %d pixels wide',
    async (width) => {
      const name = `night.${width}`;
      await using tab = await open('admin', width);
      const page = await tab.goTo('accounts', 'Users and tokens');
      await tab.expectSound();
      await page.getByRole('button', { name: 'Add a user' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name').fill('Not A Name');
      await dialog.getByLabel('Password, 12').fill(PASSWORD);
      await dialog.getByLabel('Password again').fill(PASSWORD);
      await dialog.getByRole('button', { name: 'Add' }).click();
      await dialog.getByRole('alert').waitFor();
      await tab.expectSound();
      await dialog.getByLabel('Name').fill(name);
      await dialog.getByRole('button', { name: 'Add' }).click();
      await page.getByText(`${name} is added`).waitFor();
      const client = await new Client(node.app).signIn(name);
      expect(await client.json('/session')).toMatchObject({ role: 'viewer' });

      await page.getByLabel(`Role of ${name}`).selectOption('operator');
      await page.getByText(`${name} is operator now`).waitFor();
      await page.getByRole('button', { name: `Disable ${name}` }).click();
      await page.getByText(`${name} is disabled`).waitFor();
      await expect(new Client(node.app).signIn(name)).rejects.toThrow('401');
      await page.getByRole('button', { name: `Remove… ${name}` }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
      await page.getByText(`${name} is removed`).waitFor();
      await tab.expectSound();
    },
  );

  it('makes a token that works until it is revoked', async () => {
    await using tab = await open('admin');
    const page = await tab.goTo('accounts', 'Users and tokens');
    await page.getByRole('button', { name: 'Make a token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What it is for').fill('wall display');
    await tab.expectSound();
    await dialog.getByRole('button', { name: 'Make it' }).click();
    const secret = await page.locator('code.secret').textContent();
    const ask = () =>
      fetch(`${node.url}/api/v1/session`, { headers: { authorization: `Bearer ${secret}` } });
    expect((await ask()).status).toBe(200);
    await tab.expectSound();
    await page.getByRole('button', { name: 'Revoke… wall display' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('"wall display" is revoked').waitFor();
    expect((await ask()).status).toBe(401);
  });

  it.each(WIDTHS)('shows who did what, %d pixels wide', async (width) => {
    await using tab = await open('admin', width);
    const page = await tab.goTo('audit', 'Audit');
    await page.getByRole('cell', { name: 'root' }).first().waitFor();
    await tab.expectSound();
  });
});
