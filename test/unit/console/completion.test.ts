import { CompletionContext } from '@codemirror/autocomplete';
import { EditorState } from '@codemirror/state';
import { describe, expect, it } from 'vitest';
import { complete } from '../../../src/console/routing/completion.js';

const HEAD = `destinations:
  pacs:
    aeTitle: PACS
channels:
  on-call:
    email:
      host: mail.test
  ris:
    hl7:
      host: ris.test
`;

/** What is offered at the end of that text. */
const offered = (text: string) => {
  const state = EditorState.create({ doc: HEAD + text });
  const found = complete(new CompletionContext(state, state.doc.length, true));
  return found?.options.map(({ label }) => label) ?? [];
};

describe('completion in the editor', () => {
  it('offers destinations where a route sends, and channels where it tells', () => {
    const route = 'routes:\n  - name: a\n';
    expect(offered(`${route}    send:\n      to: `)).toEqual(['pacs']);
    expect(offered(`${route}    notify:\n      to: `)).toEqual(['on-call', 'ris']);
  });

  it('offers each kind of channel, and no target as the recipient of an e-mail', () => {
    expect(offered('  other:\n    ')).toEqual(
      expect.arrayContaining(['email', 'webhook', 'hl7', 'fhir']),
    );
    expect(offered('  other:\n    email:\n      to: ')).toEqual([]);
    expect(offered('  other:\n    hl7:\n      processingId: ')).toContain('training');
  });
});
