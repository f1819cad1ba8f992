import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, everyRole, type Role } from '../integration/admin/api-rig.js';
import { requireTools } from '../interop/tools.js';
import { BrowserNode } from './browser-node.js';
import { startBrowser, Tab, WIDTHS } from './tabs.js';

/** Puts the cursor behind the last character of the editor. */
async function toEnd(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'Configuration in YAML' }).click();
  await page.keyboard.press('Control+End');
}

async function apply(page: Page, reason: string): Promise<void> {
  await page.getByRole('button', { name: 'Apply…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Why').fill(reason);
  await dialog.getByRole('button', { name: 'Apply' }).click();
}

describe.runIf(requireTools('chromium'))('editing the routing in the console', () => {
  let node: BrowserNode;
  let browser: Browser;
  let people: Record<Role, Client>;
  let original: string;
  beforeAll(async () => {
    [node, browser] = [await BrowserNode.start(), await startBrowser()];
    people = await everyRole(node.app);
    original = await readFile(node.file, 'utf8');
  });
  afterAll(async () => {
    await browser?.close();
    await node?.[Symbol.asyncDispose]();
  });

  const open = async (role: Role, width = 1440) => {
    const tab = await Tab.open(browser, node.url, { client: people[role], width });
    await tab.goTo('routing', 'Routing');
    return tab;
  };

  it.each(WIDTHS)('is sound, %d pixels wide', async (width) => {
    await using tab = await open('admin', width);
    await tab.page.getByText('in force').waitFor();
    await tab.expectSound();
  });

  it.each(['viewer', 'operator'] as const)('lets a %s read it and change nothing', async (role) => {
    await using tab = await open(role);
    const { page } = tab;
    await page.getByText('everything-to-pacs').waitFor();
    await toEnd(page);
    await page.keyboard.type('nonsense');
    expect(await page.getByText('nonsense').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Apply…' }).count()).toBe(0);
    await page.getByRole('button', { name: 'History' }).click();
    await page.getByText('Version 1').first().waitFor();
    expect(await page.getByRole('button', { name: 'Roll back' }).count()).toBe(0);
    await tab.expectSound();
  });

  it('shows a mistake at its place, and applies nothing while there is one', async () => {
    await using tab = await open('admin');
    const { page } = tab;
    await toEnd(page);
    await page.keyboard.type('  - name: bleeds\nwhem: {}');
    await page.getByText('is no known key').first().waitFor();
    await page.getByText('routes[1].whem').waitFor();
    await page.locator('.cm-lint-marker-error').first().waitFor();
    expect(await page.getByRole('button', { name: 'Apply…' }).isDisabled()).toBe(true);
    await tab.expectSound();
    await page.getByRole('button', { name: 'Drop my changes' }).click();
    await page.getByText('Nothing is wrong').waitFor();
  });

  it('proposes keys, values and destinations', async () => {
    await using tab = await open('admin');
    const { page } = tab;
    await toEnd(page);
    const option = (name: string) => page.getByRole('option', { name, exact: true });
    await page.keyboard.type('      prio');
    await option('priority').click();
    await page.keyboard.type('hi');
    await option('high').waitFor();
    await tab.expectSound();
    await option('high').click();
    await page.keyboard.type('\nto: [p');
    await option('pacs').waitFor();
    expect(tab.faults).toEqual([]);
  });

  it('says what a change does before it is applied, applies it, and rolls it back', async () => {
    await using tab = await open('admin');
    const { page } = tab;
    await toEnd(page);
    await page.keyboard.type('      objects: [sr] # the report is enough');
    await page.getByText('Nothing is wrong').waitFor();
    await page.getByRole('button', { name: 'Changes', exact: true }).click();
    await page.getByText('changed: send').waitFor();
    await page.getByText('# the report is enough').nth(1).waitFor();
    await page.getByRole('button', { name: 'Replay', exact: true }).first().click();
    await page.getByRole('button', { name: 'Replay', exact: true }).last().click();
    await page.getByText('would go where they went').waitFor();
    await tab.expectSound();
    await apply(page, 'pictures fill the archive');
    await page.getByText('Version 2 is in force').waitFor();
    expect(await readFile(node.file, 'utf8')).toBe(
      `${original}      objects: [sr] # the report is enough`,
    );
    expect(node.settings().routing.routes[0]?.send[0]?.objects).toEqual(['sr']);

    await page.getByRole('button', { name: 'History' }).click();
    await page.getByText('pictures fill the archive').waitFor();
    await page.getByRole('button', { name: 'Roll back… to version 1' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('# the report is enough').waitFor();
    await dialog.getByLabel('Why').fill('they are wanted after all');
    await tab.expectSound();
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await page.getByText('Version 3 is in force').waitFor();
    expect(await readFile(node.file, 'utf8')).toBe(original);
  });

  it.each([
    ['sees it at once', '# seen', false],
    ['hears nothing of it', '# unheard', true],
  ])('lets one whose page %s overwrite nothing unseen', async (_, note, isDeaf) => {
    const before = await readFile(node.file, 'utf8');
    await using first = await open('admin');
    await using second = await Tab.open(browser, node.url, { client: people.admin });
    if (isDeaf) await second.page.route('**/api/v1/events*', (route) => route.abort());
    await second.goTo('routing', 'Routing');
    for (const { page } of [first, second]) await toEnd(page);
    await second.page.keyboard.type('# of the second');
    await first.page.keyboard.type(note);
    await first.page.getByText('Nothing is wrong').waitFor();
    await second.page.getByText('Nothing is wrong').waitFor();
    await apply(first.page, 'a note of the first');
    await first.page.getByText('is in force').first().waitFor();

    const conflict = second.page.getByText('Somebody else has changed the file');
    if (isDeaf) {
      await apply(second.page, 'a note of the second');
      await second.page.getByRole('dialog').getByRole('alert').waitFor();
      await second.page.getByRole('button', { name: 'Cancel' }).click();
    }
    await conflict.waitFor();
    expect(await second.page.getByRole('button', { name: 'Apply…' }).isDisabled()).toBe(true);
    await second.expectSound();
    await second.page.getByRole('button', { name: 'Drop mine' }).click();
    await second.page.getByText(note).waitFor();
    expect(await readFile(node.file, 'utf8')).toBe(`${before}${note}`);
  });
});
