import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from '../../../src/simulate/phantom/random.js';
import type { SystemCall } from './system-calls.js';

type Change =
  | { readonly type: 'write'; readonly offset: number; readonly bytes: Buffer }
  | { readonly type: 'truncate'; readonly length: number };

class FileNode {
  durable: Buffer = Buffer.alloc(0);
  pending: Change[] = [];
  end = 0;
}

class FolderNode {
  readonly durable = new Map<string, Entry>();
  readonly live = new Map<string, Entry>();
}

type Entry = FileNode | FolderNode;

/** One change of entries, which is persisted whole or not at all: a rename takes from one folder and gives to another. */
type EntryChange = readonly {
  readonly folder: FolderNode;
  readonly name: string;
  readonly entry: Entry | undefined;
}[];

/**
 * What a disk may hold after a power cut. Data is durable after fsync or fdatasync of its file, or when a write with
 * O_DSYNC has returned; an entry of a folder after fsync of that folder. Of the rest any subset is there: each write
 * whole, cut off at a multiple of 512 bytes, or not at all; each change of entries, where the earlier changes of the
 * same name are there too. A folder whose own entry is not there takes with it what is in it.
 */
export class Disk {
  readonly #root = new FolderNode();
  readonly #rootPath: string;
  #pending: EntryChange[] = [];

  constructor(rootPath: string) {
    this.#rootPath = rootPath;
  }

  apply(call: SystemCall): void {
    switch (call.type) {
      case 'open': {
        const [folder, name] = this.#place(call.path);
        if (call.create && !folder.live.has(name))
          this.#change([{ folder, name, entry: new FileNode() }]);
        if (call.truncate) this.#file(call.path)?.pending.push({ type: 'truncate', length: 0 });
        return;
      }
      case 'write': {
        const file = this.#file(call.path);
        if (file === undefined) return;
        const offset = Number.isNaN(call.offset) ? file.end : call.offset;
        file.end = Math.max(file.end, offset + call.bytes.length);
        file.pending.push({ type: 'write', offset, bytes: call.bytes });
        if (call.durable) this.#syncFile(file);
        return;
      }
      case 'truncate':
        this.#file(call.path)?.pending.push({ type: 'truncate', length: call.length });
        return;
      case 'sync': {
        const entry = this.#entry(call.path);
        if (entry instanceof FileNode) this.#syncFile(entry);
        else if (entry) this.#syncFolder(entry);
        return;
      }
      case 'mkdir':
      case 'unlink': {
        const [folder, name] = this.#place(call.path);
        this.#change([
          { folder, name, entry: call.type === 'mkdir' ? new FolderNode() : undefined },
        ]);
        return;
      }
      case 'rename': {
        const [from, fromName] = this.#place(call.path);
        const [to, toName] = this.#place(call.to);
        const entry = from.live.get(fromName);
        this.#change([
          { folder: from, name: fromName, entry: undefined },
          { folder: to, name: toName, entry },
        ]);
      }
    }
  }

  /** Writes what a cut at this moment may leave into a folder; `kept` is the share of what is not synced that is there. */
  cut(target: string, kept: number, random: Random): void {
    const done = closure(this.#pending, () => random() < kept);
    const entriesOf = (folder: FolderNode) => {
      const entries = new Map(folder.durable);
      for (const one of done.flat())
        if (one.folder === folder) setEntry(entries, one.name, one.entry);
      return entries;
    };
    const writeOut = (folder: FolderNode, path: string) => {
      mkdirSync(path, { recursive: true });
      for (const [name, entry] of entriesOf(folder)) {
        if (entry instanceof FolderNode) writeOut(entry, join(path, name));
        else writeFileSync(join(path, name), contentOf(entry, kept, random));
      }
    };
    writeOut(this.#root, target);
  }

  #change(change: EntryChange): void {
    this.#pending.push(change);
    for (const { folder, name, entry } of change) setEntry(folder.live, name, entry);
  }

  #syncFile(file: FileNode): void {
    file.durable = file.pending.reduce(applied, file.durable);
    file.pending = [];
  }

  #syncFolder(folder: FolderNode): void {
    const done = new Set(
      closure(this.#pending, (change) => change.some((one) => one.folder === folder), true),
    );
    for (const one of [...done].flat()) setEntry(one.folder.durable, one.name, one.entry);
    this.#pending = this.#pending.filter((change) => !done.has(change));
  }

  #entry(path: string): Entry | undefined {
    const names = path.slice(this.#rootPath.length).split('/').filter(Boolean);
    return names.reduce<Entry | undefined>(
      (entry, name) => (entry instanceof FolderNode ? entry.live.get(name) : undefined),
      this.#root,
    );
  }

  #file(path: string): FileNode | undefined {
    const entry = this.#entry(path);
    return entry instanceof FileNode ? entry : undefined;
  }

  #place(path: string): [FolderNode, string] {
    const folder = this.#entry(dirname(path));
    if (!(folder instanceof FolderNode)) throw new Error(`${dirname(path)} is no folder`);
    return [folder, path.slice(dirname(path).length + 1)];
  }
}

function setEntry(entries: Map<string, Entry>, name: string, entry: Entry | undefined): void {
  if (entry === undefined) entries.delete(name);
  else entries.set(name, entry);
}

/** The wanted changes, without those (or, `forced`, with those) whose names an earlier change that is not wanted has. */
function closure(
  changes: readonly EntryChange[],
  wanted: (change: EntryChange) => boolean,
  forced = false,
): EntryChange[] {
  const share = (a: EntryChange, b: EntryChange) =>
    a.some((x) => b.some((y) => x.folder === y.folder && x.name === y.name));
  if (forced) {
    const taken = new Set<EntryChange>();
    for (const change of [...changes].reverse()) {
      if (wanted(change) || [...taken].some((later) => share(change, later))) taken.add(change);
    }
    return changes.filter((change) => taken.has(change));
  }
  const left: EntryChange[] = [];
  return changes.filter((change) => {
    const is = wanted(change) && !left.some((earlier) => share(change, earlier));
    if (!is) left.push(change);
    return is;
  });
}

function applied(content: Buffer, change: Change): Buffer {
  if (change.type === 'truncate') {
    const cut = Buffer.alloc(change.length);
    content.copy(cut);
    return cut;
  }
  const { offset, bytes } = change;
  const grown = Buffer.alloc(Math.max(content.length, offset + bytes.length));
  content.copy(grown);
  bytes.copy(grown, offset);
  return grown;
}

const SECTOR = 512;

function contentOf(file: FileNode, kept: number, random: Random): Buffer {
  let content = file.durable;
  for (const change of file.pending) {
    if (random() >= kept) continue;
    const torn = change.type === 'write' && random() < 0.2;
    if (!torn) {
      content = applied(content, change);
      continue;
    }
    const sectors = Math.floor((random() * change.bytes.length) / SECTOR);
    content = applied(content, { ...change, bytes: change.bytes.subarray(0, sectors * SECTOR) });
  }
  return content;
}
