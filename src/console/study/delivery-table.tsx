import type { StudyDetail } from '../../admin/api/schemas/studies.js';
import { when } from '../times.js';
import { count, objectWord } from '../words.js';

type Delivery = StudyDetail['deliveries'][number];

const STATES: Readonly<Record<Delivery['state'], string>> = {
  due: '◔ Waiting',
  sending: '◔ Being sent',
  stored: '◑ Stored, proof asked for',
  delivered: '✓ Delivered',
  replaced: 'Replaced by a newer one',
  dead: '✕ Given up',
  abandoned: '✕ Abandoned by a person',
};

const CLASSES: Partial<Record<Delivery['state'], string>> = {
  due: 'warned',
  sending: 'warned',
  delivered: 'done',
  dead: 'alarm',
  abandoned: 'alarm',
};

/** What went where, and what the other side said. */
export function DeliveryTable({ study }: { readonly study: StudyDetail }) {
  const { deliveries, unsent } = study;
  return (
    <section>
      <h2>Deliveries</h2>
      {unsent !== null && <p class="note warning">Nothing is sent: {unsent}</p>}
      {deliveries.length === 0 && unsent === null && (
        <p class="quiet">Nothing is to be sent yet.</p>
      )}
      {deliveries.length > 0 && (
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">Object</th>
              <th scope="col">Destination</th>
              <th scope="col">State</th>
              <th scope="col">When</th>
              <th scope="col">Answer</th>
            </tr>
          </thead>
          <tbody>
            {deliveries.map((delivery) => (
              <tr key={delivery.id}>
                <td>{objectWord(delivery.kind)}</td>
                <td data-name="Destination">
                  <div>
                    {delivery.destination}
                    <div class="quiet">by route {delivery.route}</div>
                  </div>
                </td>
                <td data-name="State" class={CLASSES[delivery.state] ?? ''}>
                  {STATES[delivery.state]}
                </td>
                <td data-name="When" class="number">
                  {delivery.settledAt === null
                    ? `next try ${when(delivery.dueAt)}`
                    : when(delivery.settledAt)}
                </td>
                <td data-name="Answer">
                  <div>
                    {answerText(delivery)}
                    <div class="quiet">{count(delivery.attempts, 'try', 'tries')}</div>
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** The destination's status as the standard writes it, and what was wrong. */
function answerText({ status, failureCode, comment }: Delivery): string {
  const hex = status === null ? '' : `0x${status.toString(16).toUpperCase().padStart(4, '0')}`;
  return [hex === '0x0000' ? 'Success' : hex, failureCode, comment].filter(Boolean).join(' · ');
}
