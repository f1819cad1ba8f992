import { useEffect, useState } from 'preact/hooks';
import type { AuditEntry, AuditPage as Page } from '../../admin/api/schemas/audit.js';
import { messageOf } from '../api/client.js';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { Loaded } from '../parts/loaded.js';
import { href } from '../router.js';
import { useToast } from '../shell/toasts.js';
import { dateAndTime } from '../times.js';

/** Who did what, newest first. */
export function AuditPage() {
  const { api } = useConnection();
  const toast = useToast();
  const newest = useResource('audit', (signal) => api.get<Page>('/audit', signal));
  const [older, setOlder] = useState<Page>();
  useEffect(() => setOlder(undefined), [newest.value]);

  const next = older === undefined ? (newest.value?.next ?? null) : older.next;
  const showMore = () => {
    api.get<Page>(`/audit?cursor=${next}`).then(
      (page) => setOlder({ ...page, entries: [...(older?.entries ?? []), ...page.entries] }),
      (error: unknown) => toast(messageOf(error), true),
    );
  };
  return (
    <>
      <h1>Audit</h1>
      <Loaded resource={newest}>
        {({ entries }) => (
          <>
            <table class="cards">
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Who</th>
                  <th scope="col">Did what</th>
                  <th scope="col">To what</th>
                  <th scope="col">Detail</th>
                </tr>
              </thead>
              <tbody>
                {[...entries, ...(older?.entries ?? [])].map((entry) => (
                  <AuditRow key={entry.id} entry={entry} />
                ))}
              </tbody>
            </table>
            {next !== null && (
              <button type="button" class="more" onClick={showMore}>
                Show more
              </button>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function AuditRow({ entry }: { readonly entry: AuditEntry }) {
  return (
    <tr>
      <td class="number">{dateAndTime(entry.at)}</td>
      <td data-name="Who">{entry.actor}</td>
      <td data-name="Did what">{capital(entry.action.replaceAll('-', ' '))}</td>
      <td data-name="To what" class="uid">
        {isOfStudy(entry) ? (
          <a href={href(['studies', entry.subject])}>{entry.subject}</a>
        ) : (
          entry.subject
        )}
      </td>
      <td data-name="Detail" class="uid quiet">
        {Object.entries(entry.detail)
          .map(
            ([key, value]) =>
              `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
          )
          .join(', ')}
      </td>
    </tr>
  );
}

const STUDY_ACTIONS: ReadonlySet<string> = new Set([
  'study-viewed',
  'resend',
  'reanalyse',
  'settle',
]);

const isOfStudy = (entry: AuditEntry): entry is AuditEntry & { readonly subject: string } =>
  entry.subject !== null && STUDY_ACTIONS.has(entry.action);

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
