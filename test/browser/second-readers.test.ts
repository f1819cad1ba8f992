import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headPhantomStudy } from '../../src/simulate/head-phantom.js';
import { everyRole } from '../integration/admin/api-rig.js';
import { SCEPTIC, scepticIn } from '../integration/node/sceptic.js';
import { requireTools } from '../interop/tools.js';
import { BrowserNode } from './browser-node.js';
import { startBrowser, Tab, WIDTHS } from './tabs.js';

const bleed = headPhantomStudy({ seed: 11, bleed: { type: 'intraparenchymal', volumeMl: 35 } });

describe.runIf(requireTools('chromium'))('a second reader in the console', () => {
  let node: BrowserNode;
  let browser: Browser;
  let viewer: Awaited<ReturnType<typeof everyRole>>['viewer'];
  beforeAll(async () => {
    [node, browser] = [await BrowserNode.start(SCEPTIC, scepticIn), await startBrowser()];
    ({ viewer } = await everyRole(node.app));
  });
  afterAll(async () => {
    await browser?.close();
    await node?.[Symbol.asyncDispose]();
  });

  it('appears on the open page of a study when it has read it', async () => {
    await node.triage(bleed);
    await using tab = await Tab.open(browser, node.url, { client: viewer, width: 1440 });
    const page = await tab.goTo(`studies/${bleed.studyInstanceUid}`, /PHANTOM/);
    await page.getByText('Second reader sceptic (sceptic 9.0.0): negative.').waitFor();
    const panel = page.locator('.second-readings');
    expect(await panel.textContent()).toMatch(/Negative any <\s1\s%\s*sceptic · sceptic 9\.0\.0/);
    // The report stands.
    await page.getByText('Suspected intracranial hemorrhage').waitFor();
    await tab.expectSound();
  });

  it.each(WIDTHS)('leads from operations to what it contradicts, %d wide', async (width) => {
    await using tab = await Tab.open(browser, node.url, { client: viewer, width });
    const page = await tab.goTo('operations', 'Operations');
    await page.getByRole('columnheader', { name: 'sceptic: negative' }).waitFor();
    await tab.expectSound();
    await page.getByRole('link', { name: 'Report positive, sceptic negative' }).click();
    await page.locator('.second-readings').waitFor();
  });
});
