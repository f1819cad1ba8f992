/**
 * The states that an acceptor of associations passes through (PS3.8 9.2.1). Sta4, 5, 7 and 9 to 12 belong to whoever
 * requests an association or its release, which this side never does.
 */
export const STATES = ['Sta1', 'Sta2', 'Sta3', 'Sta6', 'Sta8', 'Sta13'] as const;
export type State = (typeof STATES)[number];

/** The events of PS3.8 Table 9-10 by what they are. */
export const EVENTS = {
  'associate-ac-pdu': 'Evt3',
  'associate-rj-pdu': 'Evt4',
  'connection-indication': 'Evt5',
  'associate-rq-pdu': 'Evt6',
  'associate-accept': 'Evt7',
  'associate-reject': 'Evt8',
  'p-data-request': 'Evt9',
  'p-data-tf-pdu': 'Evt10',
  'release-rq-pdu': 'Evt12',
  'release-rp-pdu': 'Evt13',
  'release-response': 'Evt14',
  'abort-request': 'Evt15',
  'abort-pdu': 'Evt16',
  'connection-closed': 'Evt17',
  'artim-expired': 'Evt18',
  'invalid-pdu': 'Evt19',
} as const;
export type Event = keyof typeof EVENTS;

/** The actions of PS3.8 Tables 9-6 to 9-9 that an acceptor takes. */
export type Action =
  | 'AE-5'
  | 'AE-6'
  | 'AE-7'
  | 'AE-8'
  | 'DT-1'
  | 'DT-2'
  | 'AR-2'
  | 'AR-4'
  | 'AR-5'
  | 'AR-7'
  | 'AA-1'
  | 'AA-2'
  | 'AA-3'
  | 'AA-4'
  | 'AA-5'
  | 'AA-6'
  | 'AA-7'
  | 'AA-8';

export interface Transition {
  readonly action: Action;
  readonly next: State;
}

type Row = Partial<Record<State, readonly [Action, State]>>;

/** PS3.8 Table 9-10, the acceptor's columns. AE-6 goes on to Sta3; a rejection by it is Evt8's AE-8. */
const TABLE: Record<Event, Row> = {
  'associate-ac-pdu': {
    Sta2: ['AA-1', 'Sta13'],
    Sta3: ['AA-8', 'Sta13'],
    Sta6: ['AA-8', 'Sta13'],
    Sta8: ['AA-8', 'Sta13'],
    Sta13: ['AA-6', 'Sta13'],
  },
  'associate-rj-pdu': {
    Sta2: ['AA-1', 'Sta13'],
    Sta3: ['AA-8', 'Sta13'],
    Sta6: ['AA-8', 'Sta13'],
    Sta8: ['AA-8', 'Sta13'],
    Sta13: ['AA-6', 'Sta13'],
  },
  'connection-indication': {
    Sta1: ['AE-5', 'Sta2'],
  },
  'associate-rq-pdu': {
    Sta2: ['AE-6', 'Sta3'],
    Sta3: ['AA-8', 'Sta13'],
    Sta6: ['AA-8', 'Sta13'],
    Sta8: ['AA-8', 'Sta13'],
    Sta13: ['AA-7', 'Sta13'],
  },
  'associate-accept': {
    Sta3: ['AE-7', 'Sta6'],
  },
  'associate-reject': {
    Sta3: ['AE-8', 'Sta13'],
  },
  'p-data-request': {
    Sta6: ['DT-1', 'Sta6'],
    Sta8: ['AR-7', 'Sta8'],
  },
  'p-data-tf-pdu': {
    Sta2: ['AA-1', 'Sta13'],
    Sta3: ['AA-8', 'Sta13'],
    Sta6: ['DT-2', 'Sta6'],
    Sta8: ['AA-8', 'Sta13'],
    Sta13: ['AA-6', 'Sta13'],
  },
  'release-rq-pdu': {
    Sta2: ['AA-1', 'Sta13'],
    Sta3: ['AA-8', 'Sta13'],
    Sta6: ['AR-2', 'Sta8'],
    Sta8: ['AA-8', 'Sta13'],
    Sta13: ['AA-6', 'Sta13'],
  },
  'release-rp-pdu': {
    Sta2: ['AA-1', 'Sta13'],
    Sta3: ['AA-8', 'Sta13'],
    Sta6: ['AA-8', 'Sta13'],
    Sta8: ['AA-8', 'Sta13'],
    Sta13: ['AA-6', 'Sta13'],
  },
  'release-response': {
    Sta8: ['AR-4', 'Sta13'],
  },
  'abort-request': {
    Sta3: ['AA-1', 'Sta13'],
    Sta6: ['AA-1', 'Sta13'],
    Sta8: ['AA-1', 'Sta13'],
  },
  'abort-pdu': {
    Sta2: ['AA-2', 'Sta1'],
    Sta3: ['AA-3', 'Sta1'],
    Sta6: ['AA-3', 'Sta1'],
    Sta8: ['AA-3', 'Sta1'],
    Sta13: ['AA-2', 'Sta1'],
  },
  'connection-closed': {
    Sta2: ['AA-5', 'Sta1'],
    Sta3: ['AA-4', 'Sta1'],
    Sta6: ['AA-4', 'Sta1'],
    Sta8: ['AA-4', 'Sta1'],
    Sta13: ['AR-5', 'Sta1'],
  },
  'artim-expired': {
    Sta2: ['AA-2', 'Sta1'],
    Sta13: ['AA-2', 'Sta1'],
  },
  'invalid-pdu': {
    Sta2: ['AA-1', 'Sta13'],
    Sta3: ['AA-8', 'Sta13'],
    Sta6: ['AA-8', 'Sta13'],
    Sta8: ['AA-8', 'Sta13'],
    Sta13: ['AA-7', 'Sta13'],
  },
};

/** What the standard says to do, or undefined where the event cannot happen in that state. */
export function next(state: State, event: Event): Transition | undefined {
  const cell = TABLE[event][state];
  return cell && { action: cell[0], next: cell[1] };
}
