import type { Operations } from '../../admin/api/schemas/operations.js';

/** What fails, by name and reason; one line where nothing does. */
export function HealthSection({ health }: { readonly health: Operations['health'] }) {
  const checks = Object.entries(health.checks);
  const failing = checks.filter(([, { ok }]) => !ok);
  if (failing.length === 0) {
    return (
      <p class="note health good" role="status">
        ✓ All {checks.length} health checks pass
      </p>
    );
  }
  return (
    <div class="note error" role="status">
      <p>
        <b>✕ The node needs a person</b>
      </p>
      <ul>
        {failing.map(([name, { reason }]) => (
          <li key={name}>
            <b>{capital(name)}</b>: {reason ?? 'fails'}
          </li>
        ))}
      </ul>
    </div>
  );
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
