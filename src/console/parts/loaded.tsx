import type { ComponentChildren } from 'preact';
import type { Resource } from '../api/resource.js';
import { ErrorNote } from './notes.js';

/** What there is of an answer: an older one stays in sight, with a word on why it could not be renewed. */
export function Loaded<Value>({
  resource,
  children,
}: {
  readonly resource: Resource<Value>;
  readonly children: (value: Value) => ComponentChildren;
}) {
  const { value, error, reload } = resource;
  return (
    <>
      {error !== undefined && <ErrorNote text={error} retry={reload} />}
      {value !== undefined && children(value)}
      {value === undefined && error === undefined && <p role="status">Loading…</p>}
    </>
  );
}
