import type { Outcome } from '../../admin/api/schemas/studies.js';
import './outcome-mark.css';

/** The shapes of the report's pictures: either shape or sign tells the outcomes apart without the colour. */
const SHAPES: Readonly<Record<Outcome | 'none', { readonly path: string; readonly sign: string }>> =
  {
    positive: { path: 'M16 3 30 28H2z', sign: '!' },
    undetermined: { path: 'M16 2 30 16 16 30 2 16z', sign: '?' },
    failed: { path: 'M4 4H28V28H4z', sign: '×' },
    'not-eligible': { path: 'M4 4H28V28H4z', sign: '×' },
    negative: { path: 'M16 3a13 13 0 1 0 .01 0z', sign: '–' },
    none: { path: 'M16 3a13 13 0 1 0 .01 0z', sign: '…' },
  };

/** A picture beside the word; never without it. */
export function OutcomeMark({ outcome }: { readonly outcome: Outcome | null }) {
  const { path, sign } = SHAPES[outcome ?? 'none'];
  return (
    <svg class={`mark ${outcome ?? 'none'}`} viewBox="0 0 32 32" aria-hidden="true">
      <path d={path} />
      <text x="16" y={outcome === 'positive' ? 25 : 22} text-anchor="middle">
        {sign}
      </text>
    </svg>
  );
}
