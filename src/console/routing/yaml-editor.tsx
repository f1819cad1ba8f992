import { autocompletion } from '@codemirror/autocomplete';
import { yaml } from '@codemirror/lang-yaml';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { EditorState, type Text } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { basicSetup } from 'codemirror';
import { useEffect, useRef } from 'preact/hooks';
import type { ConfigProblem, Validation } from '../../admin/api/schemas/routing.js';
import { complete } from './completion.js';
import { editorLook } from './editor-look.js';

/** A place that somebody wants to see; a new object each time. */
export interface WantedLine {
  readonly line: number;
}

/**
 * The configuration as text. CodeMirror lives in a shadow root: its styles are constructed sheets there, which the
 * content security policy allows, while in the document they would be an inline style element.
 */
export function YamlEditor({
  loaded,
  change,
  checked,
  wanted,
  readOnly,
}: {
  /** What it holds at first, and again from each new object on. In between the text is the editor's own. */
  readonly loaded: { readonly text: string };
  readonly change: (text: string) => void;
  readonly checked: Validation | undefined;
  readonly wanted: WantedLine | undefined;
  readonly readOnly: boolean;
}) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const current = useRef({ loaded, change });
  current.current = { loaded, change };

  useEffect(() => {
    if (host.current === null) return;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: current.current.loaded.text,
        extensions: [
          basicSetup,
          yaml(),
          EditorState.readOnly.of(readOnly),
          lintGutter(),
          autocompletion({ override: [complete] }),
          editorLook,
          EditorView.contentAttributes.of({
            'aria-label': 'Configuration in YAML',
            tabindex: '0',
          }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) current.current.change(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    const routes = /^routes:/m.exec(current.current.loaded.text)?.index;
    if (routes !== undefined) {
      editor.dispatch({ effects: EditorView.scrollIntoView(routes, { y: 'start' }) });
    }
    return () => editor.destroy();
  }, [readOnly]);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || editor.state.doc.toString() === loaded.text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: loaded.text } });
  }, [loaded]);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || checked === undefined) return;
    const { doc } = editor.state;
    const diagnostics = [
      ...checked.problems.map((problem) => diagnosticOf(problem, 'error', doc)),
      ...checked.warnings.map((problem) => diagnosticOf(problem, 'warning', doc)),
    ];
    editor.dispatch(setDiagnostics(editor.state, diagnostics));
  }, [checked]);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || wanted === undefined) return;
    const { from } = editor.state.doc.line(Math.min(wanted.line, editor.state.doc.lines));
    editor.dispatch({ selection: { anchor: from }, scrollIntoView: true });
    editor.focus();
  }, [wanted]);

  return <div ref={host} class="editor" />;
}

/** Marks from the problem's place to the end of its line; the first line where it has none. */
function diagnosticOf(
  { message, hint, line = 1, column = 1 }: ConfigProblem,
  severity: Diagnostic['severity'],
  doc: Text,
): Diagnostic {
  const place = doc.line(Math.min(Math.max(1, line), doc.lines));
  const from = Math.min(place.to, place.from + column - 1);
  const to = Math.max(from, place.from + place.text.trimEnd().length);
  return {
    from,
    to,
    severity,
    message: hint === undefined ? message : `${message}\n${hint}`,
  };
}
