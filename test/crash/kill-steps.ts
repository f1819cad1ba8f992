/**
 * The named steps at which the node kills itself, in the order of a slice's way. `kill-at-step.mjs` finds each at a
 * module's boundary: a write, a rename, a commit, a message, a packet.
 */
export const KILL_STEPS = {
  'recovery-begun': 'at start, after the first row of recovery',
  'file-made': 'after an empty file for an instance was made, before its folder was synced',
  'torn-write': 'in the middle of writing an instance: a part of its bytes is in the file',
  'temp-write': "after an instance's bytes were written, before the mark that makes them count",
  fsync: 'after the synchronous write that ends with the mark, before the instance is handed on',
  'before-response': 'before 0x0000 is written to the sender',
  'before-commit': 'in the transaction with the rows of instances, before it commits',
  commit: 'after the rows of instances are committed, before their files are moved',
  rename: 'after the file of an instance was moved to its place',
  'series-complete': 'after it is committed that a series is whole',
  'analysis-due': 'after it is committed that a series is to be read',
  inference: 'while the inference process reads a series',
  'analysis-done': 'after the finding is committed, before a report is made of it',
  'result-temp-write': "after a result object's bytes were written, before they are synced",
  'result-fsync': "after a result object's file was synced, before it has its name",
  'result-rename': "after a result object's file has its name, before its rows",
  'before-report-commit': 'in the transaction with the rows of a report, before it commits',
  'report-commit': 'after the rows of a report and its deliveries are committed',
  delivery: 'after a part of an object was written to the PACS',
  'pacs-response': "after the PACS's response, before our row",
  'delivery-commit': "after the row that holds the PACS's response is committed",
} as const;

export type KillStep = keyof typeof KILL_STEPS;

export const KILL_STEP_NAMES = Object.keys(KILL_STEPS) as readonly KillStep[];
