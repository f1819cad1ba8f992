import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const LOG = join(import.meta.dirname, '../../../dist/log.js');

/** What a process prints that logs so; the log writes to the process' own standard output. */
function printed(fields: unknown): string {
  const script = `
    const { createLog } = await import(${JSON.stringify(LOG)});
    createLog({ level: 'info' }).info(${JSON.stringify(fields)}, 'a line');`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
}

describe('createLog', () => {
  it.each([
    ['at the top', { PatientName: 'Doe^Jane', PatientID: '4711' }],
    ['in a dataset', { dataset: { PatientName: 'Doe^Jane', PatientID: '4711' } }],
    ['in a nested one', { request: { dataset: { PatientName: 'Doe^Jane', PatientID: '4711' } } }],
  ])('redacts patient data %s', (_, fields) => {
    const line = printed(fields);
    expect(line).toContain('[redacted]');
    expect(line).not.toMatch(/Doe|4711/);
  });

  it('writes one JSON object a line with an ISO time', () => {
    const { msg, time, code } = JSON.parse(printed({ code: 'x' }));
    expect({ msg, code }).toEqual({ msg: 'a line', code: 'x' });
    expect(new Date(time).toISOString()).toBe(time);
  });
});
