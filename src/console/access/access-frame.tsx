import type { ComponentChildren } from 'preact';
import './access.css';

/** What stands around the pages before the login. */
export function AccessFrame({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  return (
    <main class="access">
      <div class="panel">
        <p class="brand">Vigil</p>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}
