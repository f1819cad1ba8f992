import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { keysAt, valuesAt, type Word } from './schema-words.js';
import { yamlPlace } from './yaml-place.js';

/** Keys and values that the configuration's schema has at the cursor, and the document's own destinations and channels. */
export function complete(context: CompletionContext): CompletionResult | null {
  const word = context.matchBefore(/[\w-]*/);
  if (word === null || (word.from === word.to && !context.explicit)) return null;
  const document = context.state.doc;
  const { path, inValue } = yamlPlace(document.sliceString(0, word.from));
  const options = inValue
    ? [...valuesAt(path), ...targetsAt(path, document.toString())].map(valueOption)
    : keysAt(path).map(keyOption);
  // A list may be written as one value without brackets.
  const items = inValue && options.length === 0 ? valuesAt([...path, '[]']).map(valueOption) : [];
  const all = [...options, ...items];
  return all.length === 0 ? null : { from: word.from, options: all, validFor: /^[\w-]*$/ };
}

const keyOption = ({ word, description }: Word): Completion => ({
  label: word,
  apply: `${word}: `,
  type: 'property',
  ...(description === undefined ? {} : { info: description }),
});

const valueOption = ({ word }: Word): Completion => ({ label: word, type: 'enum' });

/** Names under `destinations`, where a route says where to send, and under `channels`, where it says whom to tell. */
function targetsAt(path: readonly string[], text: string): Word[] {
  if (path[0] === 'channels' || !path.includes('to')) return [];
  const key = path.includes('notify') ? 'channels' : 'destinations';
  const section =
    new RegExp(`^${key}:[^\\n]*\\n((?:(?:[ \\t#][^\\n]*)?\\n?)*)`, 'm').exec(text)?.[1] ?? '';
  const indent = /^( +)[\w-]+:/m.exec(section)?.[1];
  if (indent === undefined) return [];
  return [...section.matchAll(new RegExp(`^${indent}([\\w-]+):`, 'gm'))].map(([, name = '']) => ({
    word: name,
  }));
}
