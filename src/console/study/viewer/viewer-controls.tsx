import type { RefObject } from 'preact';
import type { PictureWindow } from '../../../admin/api/schemas/studies.js';
import type { Slice } from './slices.js';

const WINDOW_WORDS: Readonly<Record<PictureWindow, string>> = {
  brain: 'Brain',
  subdural: 'Subdural',
  bone: 'Bone',
};

export function WindowChoice({
  window,
  choose,
}: {
  readonly window: PictureWindow;
  readonly choose: (window: PictureWindow) => void;
}) {
  return (
    <fieldset class="chips">
      <legend>Window</legend>
      <span class="segments">
        {(Object.keys(WINDOW_WORDS) as PictureWindow[]).map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === window}
            onClick={() => choose(name)}
          >
            {WINDOW_WORDS[name]}
          </button>
        ))}
      </span>
    </fieldset>
  );
}

/** How strongly the Grad-CAM covers the slice; key slices alone have one. */
export function HeatSlider({
  opacity,
  choose,
  disabled,
}: {
  readonly opacity: number;
  readonly choose: (opacity: number) => void;
  readonly disabled: boolean;
}) {
  return (
    <label class="heat">
      {disabled ? 'Grad-CAM: only on key slices' : 'Grad-CAM'}
      <input
        type="range"
        min={0}
        max={100}
        step={5}
        value={Math.round(opacity * 100)}
        aria-valuetext={`${Math.round(opacity * 100)} percent`}
        disabled={disabled}
        onInput={({ currentTarget }) => choose(Number(currentTarget.value) / 100)}
      />
    </label>
  );
}

export function SliceSlider({
  slider,
  place,
  slices,
  move,
}: {
  readonly slider: RefObject<HTMLInputElement | null>;
  readonly place: number;
  readonly slices: readonly Slice[];
  readonly move: (place: number) => void;
}) {
  return (
    <div class="slice-slider">
      <button
        type="button"
        aria-label="One slice down"
        disabled={place === 0}
        onClick={() => move(place - 1)}
      >
        ▼
      </button>
      <label>
        <span>
          Slice {place + 1} of {slices.length} from below
          {positionText(slices[place])}
        </span>
        <input
          ref={slider}
          type="range"
          min={1}
          max={slices.length}
          value={place + 1}
          onInput={({ currentTarget }) => move(Number(currentTarget.value) - 1)}
        />
      </label>
      <button
        type="button"
        aria-label="One slice up"
        disabled={place === slices.length - 1}
        onClick={() => move(place + 1)}
      >
        ▲
      </button>
    </div>
  );
}

function positionText(slice: Slice | undefined): string {
  const position = slice?.positionMm ?? null;
  const number = slice?.instanceNumber ?? null;
  return [
    number === null ? '' : `, image ${number}`,
    position === null ? '' : `, ${position.toFixed(1)} mm`,
  ].join('');
}
