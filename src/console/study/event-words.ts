import type { StudyDetail } from '../../admin/api/schemas/studies.js';
import { count, objectWord, outcomeWord } from '../words.js';

type Entry = StudyDetail['timeline'][number];
type Detail = Entry['detail'];

/** `alarm` where a person has to know of it, `warned` where it did not go straight. */
export interface EventText {
  readonly text: string;
  readonly grave: '' | 'warned' | 'alarm';
}

/** What an event of a study means, in a sentence. One that is not known here is shown as it came. */
export function eventText({ kind, detail }: Entry): EventText {
  const sentence = SENTENCES[kind];
  if (sentence === undefined) return { text: `${kind} ${JSON.stringify(detail)}`, grave: '' };
  const [text, grave = ''] = sentence(detail);
  return { text, grave };
}

type Sentence = (detail: Detail) => readonly [text: string, grave?: 'warned' | 'alarm'];

const SENTENCES: Readonly<Record<string, Sentence>> = {
  'slices-received': ({ slices, callingAeTitle, ended }) => {
    const came = `${count(Number(slices), 'slice')} came from ${word(callingAeTitle)}`;
    if (ended === 'released') return [`${came}.`];
    if (typeof ended !== 'string') return [`${came}, and more may: the association is open.`];
    return [`${came}; the association broke (${ended}): slices may be missing.`, 'warned'];
  },
  'series-complete': (detail) => [
    `Taken for whole: ${reasonOf(detail)} (${word(detail['confidence'])}).`,
  ],
  'series-reopened': () => ['More slices came: the series is open again.', 'warned'],
  'series-chosen': (detail) => [`Chosen for analysis: ${reasonOf(detail)}.`],
  'series-refused': (detail) => [`Not analysed: ${reasonOf(detail)}.`, 'warned'],
  'analysis-finished': ({ outcome, revision, code }) => {
    const why = code === undefined ? '' : ` (${word(code)})`;
    const text = `Analysis ${word(revision)} finished: ${outcomeWord(word(outcome))}${why}.`;
    return outcome === 'failed' || outcome === 'not-eligible' ? [text, 'warned'] : [text];
  },
  'analysis-retried': ({ code, attempts }) => [
    `The analysis is tried again after ${count(Number(attempts), 'try', 'tries')} (${word(code)}).`,
    'warned',
  ],
  'second-reading': ({ reader, model, outcome, code, routes }) => {
    const why = code === undefined ? '' : ` (${word(code)})`;
    const sent = routes === undefined ? '' : `; routed by ${word(routes).replaceAll(',', ', ')}`;
    const said = outcomeWord(word(outcome)).toLowerCase();
    return [`Second reader ${word(reader)} (${word(model)}): ${said}${why}${sent}.`];
  },
  'inference-lost': (detail) => [
    `The inference process was lost with this series: ${reasonOf(detail)}.`,
    'warned',
  ],
  reported: ({ outcome, objects, routes, revision }) => [
    `Report ${word(revision)} made (${outcomeWord(word(outcome))}): ${count(Number(objects), 'object')}, ${
      routes ? `routed by ${String(routes).replaceAll(',', ', ')}` : 'no route holds'
    }.`,
  ],
  unsent: ({ outcome, revision, why }) => [
    `Report ${word(revision)} made (${outcomeWord(word(outcome))}), but nothing is sent: ${word(why)}.`,
    'warned',
  ],
  'report-stuck': ({ code }) => [
    `No report could be made (${word(code)}): a person has to look.`,
    'alarm',
  ],
  'report-lost': ({ revision }) => [
    `Files of report ${word(revision)} were lost: another one follows in its place.`,
    'warned',
  ],
  'pictures-failed': ({ revision }) => [
    `Report ${word(revision)} went out, but its pictures cannot be made.`,
    'alarm',
  ],
  stored: (detail) => [`${thing(detail)} is stored at ${place(detail)}; proof is asked for.`],
  delivered: (detail) => [`${thing(detail)} delivered to ${place(detail)}.`],
  'delivery-retried': (detail) => [
    `${thing(detail)} did not reach ${place(detail)} (${word(detail['code'])}): tried again later.`,
    'warned',
  ],
  'delivery-replaced': (detail) => [
    `${thing(detail)} is not sent to ${place(detail)}: another stands for it.`,
  ],
  'delivery-dead': (detail) => [
    `${thing(detail)} is given up at ${place(detail)} (${word(detail['code'])}).`,
    'alarm',
  ],
  'delivery-abandoned': (detail) => [
    `A person gave up sending ${thing(detail)} to ${place(detail)}.`,
    'warned',
  ],
  resend: ({ destinations }) => [
    `A person had it sent again${Array.isArray(destinations) ? ` to ${destinations.join(', ')}` : ''}.`,
  ],
  reanalyse: () => ['A person asked for another analysis.'],
  recovered: () => ['Work went on after a restart of the node.', 'warned'],
  conflict: ({ conflict }) => [`Conflict: ${word(conflict)}.`, 'alarm'],
  'conflicts-settled': ({ images }) => [
    `A person settled the conflicts of ${count(Number(images), 'image')}.`,
  ],
  'file-damaged': ({ file, problem }) => [
    `A stored file is damaged (${word(file)}, ${word(problem)}).`,
    'alarm',
  ],
  'file-restored': () => ['A damaged file was taken again from its sender.'],
  'commitment-requested': ({ instances }) => [
    `The scanner asked for storage commitment${instances === undefined ? '' : ` of ${count(Number(instances), 'instance')}`}.`,
  ],
  'commitment-reported': () => ['Storage commitment was reported to the scanner.'],
  'commitment-dead': () => ['The scanner could not be told of the storage commitment.', 'warned'],
  'step-completed': ({ from }) => [`${word(from)} says that its procedure step is completed.`],
  'step-discontinued': ({ from }) => [
    `${word(from)} says that its procedure step was discontinued.`,
    'warned',
  ],
};

function word(value: unknown): string {
  return value === undefined || value === null ? 'no reason given' : String(value);
}

function reasonOf({ text, code }: Detail): string {
  return word(text ?? code).replace(/[.]$/, '');
}

const thing = ({ object }: Detail) => objectWord(word(object));
const place = ({ destination }: Detail) => word(destination);
