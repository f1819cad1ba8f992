import type { Random } from '../../src/simulate/phantom/random.js';
import { ScannerError, scan } from '../../src/simulate/scanner.js';
import { type SentImage, type SmallStudy, smallStudy } from './small-study.js';

/** A scanner that outlives the node: it knows what was answered 0x0000 and sends again what was not. */
export class Sender {
  /** Of every image that was acknowledged: the SHA-256 of the dataset that was sent, by SOP Instance UID. */
  readonly acknowledged = new Map<string, string>();
  readonly #salt: string;
  readonly #random: Random;
  readonly #studies: SmallStudy[] = [];

  constructor(salt: string, random: Random) {
    this.#salt = salt;
    this.#random = random;
  }

  get studies(): readonly SmallStudy[] {
    return this.#studies;
  }

  addStudy(): void {
    this.#studies.push(smallStudy(this.#studies.length + 1, this.#salt));
  }

  isAcknowledged(study: SmallStudy): boolean {
    return this.#missing(study).length === 0;
  }

  /** Sends what is not acknowledged yet. Resolves when the node has answered all of it or is gone. */
  async sendMissing(port: number): Promise<void> {
    for (const study of this.#studies) {
      const missing = this.#missing(study);
      if (missing.length > 0 && !(await this.#send(port, missing))) return;
    }
  }

  /** Sends a study once more that was acknowledged already, as scanners do that are told to. */
  async repeatOne(port: number): Promise<void> {
    const whole = this.#studies.filter((study) => this.isAcknowledged(study));
    const study = whole[Math.floor(this.#random() * whole.length)];
    if (study) await this.#send(port, study.images);
  }

  #missing(study: SmallStudy): SentImage[] {
    return study.images.filter(({ sopInstanceUid }) => !this.acknowledged.has(sopInstanceUid));
  }

  /** Whether every image was answered. */
  async #send(port: number, images: readonly SentImage[]): Promise<boolean> {
    const associations = this.#random() < 0.3 ? 2 : 1;
    const options = { host: '127.0.0.1', port, calledAeTitle: 'VIGIL', associations };
    const sent = new Map(images.map((image) => [image.sopInstanceUid, image.sha256]));
    let broken = false;
    const answers = await scan(
      options,
      images.map(({ part10 }) => part10),
    ).catch((error: unknown) => {
      if (!(error instanceof ScannerError)) throw error;
      broken = true;
      return error.acknowledged;
    });
    for (const { sopInstanceUid, status } of answers) {
      if (status === 0) this.acknowledged.set(sopInstanceUid, sent.get(sopInstanceUid) ?? '');
    }
    return !broken;
  }
}
