import { describe, expect, it } from 'vitest';
import { askHealth } from '../../../src/admin/health.js';
import { ALL_IS_WELL } from '../../fixtures/all-is-well.js';

describe('askHealth', () => {
  it('is ok when every part is', async () => {
    expect(await askHealth(async () => ALL_IS_WELL)).toEqual({ status: 'ok', checks: ALL_IS_WELL });
  });

  it('fails with the reason of the part that does', async () => {
    const report = { ...ALL_IS_WELL, storage: { ok: false, reason: '12 MB free, 1024 MB needed' } };
    expect(await askHealth(async () => report)).toEqual({ status: 'failing', checks: report });
  });

  it('fails where the parts cannot be asked', async () => {
    expect(await askHealth(() => Promise.reject(new Error('disk I/O error')))).toEqual({
      status: 'failing',
      checks: { health: { ok: false, reason: 'disk I/O error' } },
    });
  });

  it('answers where a part never does', async () => {
    const answer = await askHealth(() => new Promise(() => undefined), 1);
    expect(answer.status).toBe('failing');
  });
});
