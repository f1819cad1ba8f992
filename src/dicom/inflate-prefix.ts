import { constants, inflateRawSync } from 'node:zlib';

/** What a header may come to once inflated. */
const MAX_INFLATED_BYTES = 8 * 1024 * 1024;

/**
 * Inflates the beginning of a deflated dataset (PS3.5 A.5), which may end anywhere. At most 8 MiB come out: where the
 * input holds more, less of it is taken, since zlib gives nothing of an output that exceeds its limit.
 *
 * @throws Error of zlib where the bytes are not deflated.
 */
export function inflatePrefix(deflated: Uint8Array): Uint8Array {
  for (let length = deflated.length; ; length = Math.floor(length / 4)) {
    try {
      return inflateRawSync(deflated.subarray(0, length), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: MAX_INFLATED_BYTES,
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    }
  }
}
