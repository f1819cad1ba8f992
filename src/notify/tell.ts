import type { Tell } from './channel.js';
import { type EmailChannel, email } from './email.js';
import { type FhirChannel, fhir } from './fhir.js';
import { type Hl7Channel, hl7 } from './hl7.js';
import { type WebhookChannel, webhook } from './webhook.js';

/** One of the protocols that a channel can speak. */
export type Channel = EmailChannel | WebhookChannel | Hl7Channel | FhirChannel;

/** How to tell this channel's receiver of a finding. */
export function tellerFor(channel: Channel): Tell {
  switch (channel.type) {
    case 'email':
      return email(channel);
    case 'webhook':
      return webhook(channel);
    case 'hl7':
      return hl7(channel);
    case 'fhir':
      return fhir(channel);
  }
}
