import { describe, expect, it } from 'vitest';
import { parsePeer } from '../../../src/commands/peer-argument.js';

describe('parsePeer', () => {
  it.each([
    ['PACS@pacs.example.org:104', { aeTitle: 'PACS', host: 'pacs.example.org', port: 104 }],
    ['MY PACS@10.0.0.1:11112', { aeTitle: 'MY PACS', host: '10.0.0.1', port: 11112 }],
    ['PACS@[::1]:104', { aeTitle: 'PACS', host: '::1', port: 104 }],
  ])('reads %s', (text, expected) => {
    expect(parsePeer(text)).toEqual({ ...expected, callingAeTitle: 'VIGIL' });
  });

  it.each([
    'pacs.example.org:104',
    'PACS@pacs.example.org',
    'PACS@pacs.example.org:0',
    'PACS@pacs.example.org:65536',
    '@host:104',
    ' @host:104',
    'A_TITLE_TOO_LONG_X@host:104',
    'BACK\\SLASH@host:104',
    'PACS@::1:104',
  ])('refuses %s', (text) => {
    expect(parsePeer(text)).toBeUndefined();
  });

  it('takes a calling AE title, if it is one', () => {
    expect(parsePeer('PACS@host:104', 'CT1')?.callingAeTitle).toBe('CT1');
    expect(parsePeer('PACS@host:104', 'A_TITLE_TOO_LONG_X')).toBeUndefined();
  });
});
