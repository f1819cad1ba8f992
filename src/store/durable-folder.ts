import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it that are missing, and returns when no power cut can take their entries: what is
 * durable in a folder is lost with the folder's own entry.
 */
export function makeDurableFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  makeDurableFolder(parent);
  // Another process, or an earlier call, may have been quicker.
  mkdirSync(folder, { recursive: true, mode: 0o750 });
  const entries = openSync(parent, 'r');
  try {
    fsyncSync(entries);
  } finally {
    closeSync(entries);
  }
}
