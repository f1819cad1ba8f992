import { Status } from '../dicom/status.js';
import type { Command, Outcome } from './dimse.js';

/** The association and presentation context that a request came on. */
export interface RequestContext {
  readonly associationId: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
}

/** One DIMSE operation from its request to its response (PS3.7 8). */
export interface Operation {
  /** A part of the request's dataset; a promise asks for a pause until it resolves. It never rejects. */
  data(bytes: Buffer): Promise<void> | undefined;
  /** The request is whole. A promise never rejects. */
  end(): Outcome | Promise<Outcome>;
  /** The association ended before the request was whole. */
  abandon(): void;
}

/** Begins an operation. */
export type Service = (request: Command, context: RequestContext) => Operation;

/** An operation whose outcome is known at once; a dataset is read and dropped. */
export function answerWith(outcome: Outcome): Operation {
  return { data: () => undefined, end: () => outcome, abandon: () => {} };
}

/** C-ECHO (PS3.7 9.1.5). */
export const echo: Service = () => answerWith({ status: Status.Success });

const unrecognized: Service = () => answerWith({ status: Status.UnrecognizedOperation });

/** A service and the requests that are its own. */
export interface ServiceBinding {
  readonly commandField: number;
  /** The abstract syntax of its presentation contexts; any where absent. */
  readonly sopClassUid?: string;
  readonly service: Service;
}

/** Finds the service for a request by its command field and the SOP class of its presentation context. */
export function serviceFor(
  bindings: readonly ServiceBinding[],
  commandField: number,
  abstractSyntax: string,
): Service {
  const binding = bindings.find(
    (one) =>
      one.commandField === commandField &&
      (one.sopClassUid === undefined || one.sopClassUid === abstractSyntax),
  );
  return binding?.service ?? unrecognized;
}
