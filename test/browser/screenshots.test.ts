import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headPhantomStudy } from '../../src/simulate/head-phantom.js';
import { type Client, everyRole } from '../integration/admin/api-rig.js';
import { temporaryFolder } from '../integration/node/node-rig.js';
import { requireTools } from '../interop/tools.js';
import { BrowserNode } from './browser-node.js';
import { startBrowser, Tab, WIDTHS } from './tabs.js';

const bleed = headPhantomStudy({ seed: 11, bleed: { type: 'intraparenchymal', volumeMl: 35 } });
const scout = headPhantomStudy({ seed: 13 });

/** The pictures of the documentation, of a node that has read generated heads: `npm run screenshots` keeps them. */
describe.runIf(requireTools('chromium'))('pictures of the console', () => {
  let node: BrowserNode;
  let browser: Browser;
  let admin: Client;
  beforeAll(async () => {
    [node, browser] = [await BrowserNode.start(), await startBrowser()];
    ({ admin } = await everyRole(node.app));
    await node.triage(headPhantomStudy({ seed: 12 }));
    await node.triage(scout, [scout.localizer]);
    await node.triage(bleed);
  });
  afterAll(async () => {
    await browser?.close();
    await node?.[Symbol.asyncDispose]();
  });

  const pages = [
    ['worklist', '', 'Worklist'],
    ['study', `studies/${bleed.studyInstanceUid}`, /PHANTOM/],
    ['operations', 'operations', 'Operations'],
    ['routing', 'routing', 'Routing'],
    ['accounts', 'accounts', 'Users and tokens'],
    ['audit', 'audit', 'Audit'],
  ] as const;
  it.each(WIDTHS.flatMap((width) => pages.map((page) => [page[0], width, page] as const)))(
    'show the %s, %d pixels wide',
    async (name, width, [, place, heading]) => {
      await using folder = await temporaryFolder();
      const kept = process.env['VIGIL_SCREENSHOTS'] ?? folder.path;
      await using tab = await Tab.open(browser, node.url, { client: admin, width });
      const page = await tab.goTo(place, heading);
      if (name === 'study') await page.locator('.key-slices img').first().waitFor();
      // Those further down are loaded when somebody gets there.
      const drawn =
        "[...document.querySelectorAll('.finding img')].every((image) => image.complete)";
      await expect.poll(() => page.evaluate<boolean>(drawn), { timeout: 20_000 }).toBe(true);
      await mkdir(kept, { recursive: true });
      const path = join(kept, `${name}-${width}.png`);
      await page.screenshot({ path });
      expect((await stat(path)).size).toBeGreaterThan(10_000);
    },
  );
});
