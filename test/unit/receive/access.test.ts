import { describe, expect, it } from 'vitest';
import { AccessRules, type Caller } from '../../../src/receive/access.js';

const SHA256 = 'ab'.repeat(32);
const certificate = { names: ['ct1.hospital.example', '10.1.0.7'], sha256: SHA256 };
const address = '10.1.0.7';

const rules = new AccessRules([
  {
    callingAeTitle: 'CT1',
    from: ['10.1.0.0/16'],
    certificate: ['CT1.hospital.example'],
    users: 'any',
  },
  { callingAeTitle: 'CT1', from: ['192.168.0.1'], certificate: 'any', users: 'any' },
  {
    callingAeTitle: 'CT2',
    from: 'any',
    certificate: [SHA256.toUpperCase().replace(/..(?!$)/g, '$&:')],
    users: 'any',
  },
]);

describe('access rules', () => {
  it.each<[string, Omit<Caller, 'isWaiting'>, string | undefined]>([
    ['CT1', { address, certificate }, undefined],
    ['CT1', { address: '::ffff:10.1.0.7', certificate }, undefined],
    ['CT1', { address: '192.168.0.1' }, undefined],
    ['CT2', { address: 'fd00::1', certificate }, undefined],
    ['ct1', { address, certificate }, 'callingAeTitle'],
    ['', { address, certificate }, 'callingAeTitle'],
    ['CT1', { address: '10.2.0.7', certificate }, 'from'],
    ['CT1', { address: '', certificate }, 'from'],
    ['CT1', { address }, 'certificate'],
    ['CT1', { address, certificate: { ...certificate, names: ['ct2.example'] } }, 'certificate'],
    ['CT2', { address, certificate: { names: [SHA256], sha256: 'cd' } }, 'certificate'],
    ['CT2', { address, certificate: { ...certificate, sha256: 'cd'.repeat(32) } }, 'certificate'],
    ['CT2', { address }, 'certificate'],
  ])('of %s, %o: %s', (title, caller, failure) => {
    const judged = rules.judge(title, { ...caller, isWaiting: () => true });
    expect(judged).toBe(failure ?? 'admitted');
  });
});
