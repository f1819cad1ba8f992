import { DatasetStructureError } from '../dicom/element-reader.js';
import { decodeDataset, type SourceDataset } from '../dicom/source-dataset.js';
import { Status } from '../dicom/status.js';
import type { Outcome } from './dimse.js';
import type { Operation } from './operation.js';

/** Room for a list of 20 000 instances. */
export const MAXIMUM_DATASET_BYTES = 4 * 1024 * 1024;
const FIRST_BYTES = 16 * 1024;

/** An N-service's operation: keeps its dataset in memory, within a limit, and has `answer` decide on it. */
export class DatasetOperation implements Operation {
  readonly #transferSyntax: string;
  readonly #answer: (dataset: SourceDataset) => Outcome;
  // Copied together: fragments of a few bytes would each hold on to the chunk that they came in.
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(transferSyntax: string, answer: (dataset: SourceDataset) => Outcome) {
    this.#transferSyntax = transferSyntax;
    this.#answer = answer;
  }

  data(fragment: Buffer): undefined {
    const end = this.#length + fragment.length;
    if (end > MAXIMUM_DATASET_BYTES) this.#bytes = Buffer.alloc(0);
    else this.#append(fragment, end);
    this.#length = end;
  }

  end(): Outcome {
    if (this.#length > MAXIMUM_DATASET_BYTES) {
      return { status: Status.ResourceLimitation, errorComment: 'The dataset is too long' };
    }
    try {
      return this.#answer(
        decodeDataset(this.#bytes.subarray(0, this.#length), this.#transferSyntax),
      );
    } catch (error) {
      if (!(error instanceof DatasetStructureError)) throw error;
      return { status: Status.ProcessingFailure, errorComment: error.message };
    }
  }

  abandon(): void {
    this.#bytes = Buffer.alloc(0);
  }

  #append(fragment: Buffer, end: number): void {
    if (end > this.#bytes.length) {
      const longer = Buffer.alloc(Math.max(end, 2 * this.#bytes.length, FIRST_BYTES));
      this.#bytes.copy(longer);
      this.#bytes = longer;
    }
    fragment.copy(this.#bytes, this.#length);
  }
}
