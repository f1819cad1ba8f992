import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD } from '../integration/admin/api-rig.js';
import { SimulatedProvider, withProvider } from '../integration/admin/identity-provider.js';
import { settingsIn, startNode, temporaryFolder } from '../integration/node/node-rig.js';
import { requireTools } from '../interop/tools.js';
import { BrowserNode } from './browser-node.js';
import { startBrowser, Tab, WIDTHS } from './tabs.js';

describe.runIf(requireTools('chromium'))('signing in to the console', () => {
  let node: BrowserNode;
  let browser: Browser;
  beforeAll(async () => {
    [node, browser] = [await BrowserNode.start(), await startBrowser()];
  });
  afterAll(async () => {
    await browser?.close();
    await node?.[Symbol.asyncDispose]();
  });

  it('says on a new node that the set-up link is needed', async () => {
    await using tab = await Tab.open(browser, node.url);
    await tab.page.goto(node.url);
    await tab.page.getByText('vigil users setup-link').waitFor();
    await tab.expectSound();
  });

  it('makes the first administrator by the set-up link, once', async () => {
    const link = node.app.newSetupLink() ?? '';
    await using tab = await Tab.open(browser, node.url);
    const { page } = tab;
    await page.goto(link);
    await page.getByLabel('User').fill('ada');
    await page.getByLabel('Password, 12').fill(PASSWORD);
    await page.getByLabel('Password again').fill('something else');
    await page.getByText('are not the same').waitFor();
    expect(await page.getByRole('button', { name: 'Create' }).isDisabled()).toBe(true);
    await tab.expectSound();
    await page.getByLabel('Password again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'Worklist' }).waitFor();
    expect(page.url()).not.toContain(new URL(link).hash.slice(1));

    await using again = await Tab.open(browser, node.url);
    await again.page.goto(link);
    await again.page.getByLabel('User').fill('eve');
    await again.page.getByLabel('Password, 12').fill(PASSWORD);
    await again.page.getByLabel('Password again').fill(PASSWORD);
    await again.page.getByRole('button', { name: 'Create' }).click();
    await again.page.getByRole('alert').getByText('set-up link has been used').waitFor();
  });

  it.each(WIDTHS)(
    'refuses a wrong password and takes the right one, %d pixels wide',
    async (width) => {
      await using tab = await Tab.open(browser, node.url, { width });
      const { page } = tab;
      await page.goto(`${node.url}/#/audit`);
      await page.getByLabel('User').fill('ada');
      await page.getByLabel('Password').fill('not this one');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
      await tab.expectSound();
      await page.getByLabel('Password').fill(PASSWORD);
      await page.keyboard.press('Enter');
      // The deep link is kept over the sign-in.
      await page.getByRole('heading', { level: 1, name: 'Audit' }).waitFor();
      await page.getByText('Sign in failed').first().waitFor();
      expect(tab.faults).toEqual([]);
    },
  );

  it('changes the own password, which ends the other sessions', async () => {
    await using here = await Tab.open(browser, node.url);
    await using there = await Tab.open(browser, node.url);
    for (const { page } of [here, there]) {
      await page.goto(node.url);
      await page.getByLabel('User').fill('ada');
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Worklist' }).waitFor();
    }
    const { page } = here;
    await page.getByText('admin', { exact: true }).click();
    await page.getByRole('button', { name: 'Change password' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Password now').fill(PASSWORD);
    await dialog.getByLabel('Password, 12').fill(`${PASSWORD} staple`);
    await dialog.getByLabel('Password again').fill(`${PASSWORD} staple`);
    await here.expectSound();
    await dialog.getByRole('button', { name: 'Change' }).click();
    await page.getByText('Your password is changed').waitFor();
    await there.page.getByRole('link', { name: 'Audit' }).click();
    await there.page.getByRole('button', { name: 'Sign in' }).waitFor();

    await page.getByText('admin', { exact: true }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(here.faults).toEqual([]);
  });

  it('leads to the identity provider and back, and says why nobody is signed in', async () => {
    await using folder = await temporaryFolder();
    await using provider = await SimulatedProvider.start('localhost');
    const settings = settingsIn(folder.path, '');
    await using app = await startNode(await withProvider(settings, folder.path, provider.issuer));
    const url = `http://127.0.0.1:${app.ports.admin}`;
    await using tab = await Tab.open(browser, url);
    const { page } = tab;
    provider.answer = { claims: { roles: ['cleaning'] } };
    await page.goto(url);
    await page.getByRole('link', { name: 'Sign in with the hospital account' }).click();
    await page.getByRole('alert').getByText('has no role in Vigil').waitFor();
    await tab.expectSound();

    provider.answer = {};
    await page.getByRole('link', { name: 'Sign in with the hospital account' }).click();
    await page.getByRole('heading', { name: 'Worklist' }).waitFor();
    await page.getByText('wilhelm').first().waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Worklist' }).waitFor();
    expect(tab.faults).toEqual([]);
  });

  it('ends the session at the identity provider too, which then asks again', async () => {
    await using folder = await temporaryFolder();
    await using provider = await SimulatedProvider.start('localhost');
    provider.asks = true;
    const settings = settingsIn(folder.path, '');
    const given = await withProvider(settings, folder.path, provider.issuer);
    provider.postLogoutRedirectUris = [`${given.admin.url}/`];
    await using app = await startNode(given);
    await using tab = await Tab.open(browser, `http://127.0.0.1:${app.ports.admin}`);
    const { page } = tab;
    const begin = () => page.getByRole('link', { name: 'Sign in with the hospital account' });
    const logIn = () => page.getByRole('button', { name: 'Log in' });
    const signOut = async () => {
      await page.getByRole('heading', { name: 'Worklist' }).waitFor();
      await page.getByText('wilhelm').first().click();
      await page.getByRole('button', { name: 'Sign out' }).click();
    };
    await page.goto(tab.base);
    await begin().click();
    await logIn().click();
    await signOut();
    await begin().click();
    await logIn().click();

    provider.endSessionEndpoint = null;
    await signOut();
    await begin().click();
    // The provider still knows the browser, and asks nothing.
    await page.getByRole('heading', { name: 'Worklist' }).waitFor();

    await provider[Symbol.asyncDispose]();
    await signOut();
    await page.getByRole('alert').getByText('signed out of Vigil').waitFor();
    await tab.expectSound();
    await page.reload();
    await begin().waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(tab.faults).toEqual([]);
  });

  it('sends a policy that lets nothing in from elsewhere', async () => {
    const policy = (await fetch(node.url)).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:|data:|\*/);
  });
});
