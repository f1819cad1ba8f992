/** More senders than this share one label: any peer can call itself anything. */
const LIMIT = 50;
const OTHERS = 'others';

/** Calling AE titles as label values: few of them, and of harmless characters. */
export class AeTitleLabels {
  readonly #known = new Set<string>();

  label(aeTitle: string): string {
    const label = aeTitle
      .trim()
      .replaceAll(/[^\w.-]/g, '_')
      .slice(0, 16);
    if (!this.#known.has(label) && this.#known.size >= LIMIT) return OTHERS;
    this.#known.add(label);
    return label;
  }
}
