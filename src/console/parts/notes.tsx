import type { ComponentChildren } from 'preact';

export function Note({
  kind,
  children,
}: {
  readonly kind?: 'warning' | 'error';
  readonly children: ComponentChildren;
}) {
  return <div class={`note ${kind ?? ''}`}>{children}</div>;
}

/** What could not be shown, why, and the way to try again. */
export function ErrorNote({ text, retry }: { readonly text: string; readonly retry?: () => void }) {
  return (
    <div class="note error" role="alert">
      <p>{text}</p>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}
