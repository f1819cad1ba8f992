import dimse from 'dcmjs-dimse';

// Its default level prints every association and, on errors, values of the dataset.
dimse.log.disableAll();

/** What a C-STORE request says of its dataset (PS3.7 9.3.1.1), and how the dataset's bytes are encoded. */
export interface EncodedInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
}

/**
 * A dataset that dcmjs-dimse sends byte for byte. Its own class decodes and encodes again, which drops private
 * elements, changes character sets and pads sequences anew.
 */
export class VerbatimDataset extends dimse.Dataset {
  readonly #bytes: Buffer;
  #written = false;

  constructor(instance: EncodedInstance, bytes: Uint8Array) {
    super(
      { SOPClassUID: instance.sopClassUid, SOPInstanceUID: instance.sopInstanceUid },
      instance.transferSyntaxUid,
    );
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether the bytes were handed to the connection. */
  get written(): boolean {
    return this.#written;
  }

  /** Refused: only the two UIDs are known here, and the library's transcoding would send those as the dataset. */
  override getElements(): Record<string, unknown> {
    throw new Error('A verbatim dataset cannot be transcoded');
  }

  override getDenaturalizedDataset(): Buffer {
    this.#written = true;
    return this.#bytes;
  }
}
