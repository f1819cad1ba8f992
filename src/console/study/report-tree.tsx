import { useState } from 'preact/hooks';
import type { ReportItem, StudyDetail } from '../../admin/api/schemas/studies.js';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { Loaded } from '../parts/loaded.js';

/** The newest Structured Report of the study as the tree that it is. */
export function ReportTree({ study }: { readonly study: StudyDetail }) {
  const [open, setOpen] = useState(false);
  const report = study.objects.findLast(
    ({ kind, fallbackFor }) => kind === 'sr' && fallbackFor === null,
  );
  if (report === undefined) return null;
  return (
    <section>
      <h2>Structured Report</h2>
      <details
        class="panel"
        open={open}
        onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
      >
        <summary>Report {report.revision} as a tree</summary>
        {open && <Tree sopInstanceUid={report.sopInstanceUid} />}
      </details>
    </section>
  );
}

function Tree({ sopInstanceUid }: { readonly sopInstanceUid: string }) {
  const { api } = useConnection();
  const found = useResource(sopInstanceUid, (signal) =>
    api.get<ReportItem>(`/objects/${sopInstanceUid}/report`, signal),
  );
  return (
    <Loaded resource={found}>
      {(root) => (
        <ul class="tree">
          <Item item={root} depth={0} />
        </ul>
      )}
    </Loaded>
  );
}

/** Levels that are unfolded at first. */
const UNFOLDED = 2;

function Item({ item, depth }: { readonly item: ReportItem; readonly depth: number }) {
  const { concept, value, type, children } = item;
  const text = (
    <>
      <b>{concept ?? type}</b>
      {value !== null && <span class="uid">: {value}</span>}
    </>
  );
  if (children.length === 0) return <li>{text}</li>;
  return (
    <li>
      <details open={depth < UNFOLDED}>
        <summary>{text}</summary>
        <ul>
          {children.map((child) => (
            <Item key={identityOf(child)} item={child} depth={depth + 1} />
          ))}
        </ul>
      </details>
    </li>
  );
}

/** An item of a report has no name of its own: what it says tells it from its siblings. */
const identityOf = (item: ReportItem) => JSON.stringify(item);
