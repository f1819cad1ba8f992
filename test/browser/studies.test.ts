import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headPhantomStudy } from '../../src/simulate/head-phantom.js';
import { type Client, everyRole, type Role } from '../integration/admin/api-rig.js';
import { requireTools } from '../interop/tools.js';
import { BrowserNode } from './browser-node.js';
import { startBrowser, Tab, WIDTHS } from './tabs.js';

const bleed = headPhantomStudy({ seed: 11, bleed: { type: 'intraparenchymal', volumeMl: 35 } });
const scout = headPhantomStudy({ seed: 13 });

describe.runIf(requireTools('chromium'))('worklist and study in the console', () => {
  let node: BrowserNode;
  let browser: Browser;
  let people: Record<Role, Client>;
  beforeAll(async () => {
    [node, browser] = [await BrowserNode.start(), await startBrowser()];
    people = await everyRole(node.app);
    await node.triage(bleed);
    await node.triage(scout, [scout.localizer]);
  });
  afterAll(async () => {
    await browser?.close();
    await node?.[Symbol.asyncDispose]();
  });

  const open = (role: Role, width = 1440) =>
    Tab.open(browser, node.url, { client: people[role], width });

  it.each(WIDTHS)(
    'show the bleed first, and why the other was not read, %d wide',
    async (width) => {
      await using tab = await open('viewer', width);
      const page = await tab.goTo('', 'Worklist');
      await page.getByText('Not eligible').first().waitFor();
      await tab.expectSound();
      await page.getByText('PHANTOM, HEAD 11').first().click();
      await page.getByText('Suspected intracranial hemorrhage').waitFor();
      await page.getByText('32 slices came from CT1.').waitFor();
      await tab.expectSound();
      expect(await page.getByRole('button', { name: 'Analyse again…' }).count()).toBe(0);
    },
  );

  it('lets an operator send a study again', async () => {
    await using tab = await open('operator');
    const page = await tab.goTo(`studies/${bleed.studyInstanceUid}`, /PHANTOM/);
    const before = node.pacs.received.length;
    await page.getByRole('button', { name: 'Send again…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('checkbox', { name: 'pacs' }).check();
    await tab.expectSound();
    await dialog.getByRole('button', { name: 'Send again' }).click();
    await expect.poll(() => node.pacs.received.length, { timeout: 20_000 }).toBeGreaterThan(before);
  });

  it.each(WIDTHS)('tell what the node does, %d wide', async (width) => {
    await using tab = await open('viewer', width);
    const page = await tab.goTo('operations', 'Operations');
    await page.getByText('health checks pass').waitFor();
    await tab.expectSound();
  });
});
