import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import { temporaryFolder } from '../../integration/deliver/objects.js';
import { findTool, requireTools } from '../tools.js';

describe.runIf(requireTools('dciodvfy'))('the head phantom', () => {
  it('is a study of CT Image objects without a fault', async () => {
    await using folder = await temporaryFolder();
    const { images, localizer } = headPhantomStudy({ seed: 3 });
    for (const { part10 } of [images[0], images.at(-1), localizer].filter((i) => i !== undefined)) {
      const file = join(folder.path, 'image.dcm');
      await writeFile(file, part10);
      const { stderr } = spawnSync(findTool('dciodvfy') ?? '', [file], { encoding: 'utf8' });
      expect(stderr.trim()).toBe('CTImage');
    }
  });
});
