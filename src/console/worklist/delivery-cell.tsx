import type { StudySummary } from '../../admin/api/schemas/studies.js';

/** Whether those who have to know have been told, the worst first. */
export function DeliveryCell({ study }: { readonly study: StudySummary }) {
  const { delivery, unsent, state } = study;
  const { due, stored, delivered, dead } = delivery;
  const all = due + stored + delivered + dead;
  if (all === 0) {
    return unsent === null ? (
      <span class="quiet">{state === 'reported' ? 'Nothing to send' : ''}</span>
    ) : (
      <span class="warned">Not sent: {unsent}</span>
    );
  }
  return (
    <div>
      {dead > 0 && <div class="alarm">✕ {dead} given up</div>}
      {due > 0 && <div class="warned">◔ {due} waiting</div>}
      {stored > 0 && <div>◑ {stored} stored, proof asked for</div>}
      <div class={delivered === all ? 'done' : 'quiet'}>
        {delivered === all ? `✓ all ${all} delivered` : `${delivered} of ${all} delivered`}
      </div>
    </div>
  );
}
