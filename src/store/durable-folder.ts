import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmdirSync } from 'node:fs';
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
  try {
    const entries = openSync(parent, 'r');
    try {
      fsyncSync(entries);
    } finally {
      closeSync(entries);
    }
  } catch (error) {
    // A second sync may say that all is well though the first one's entry is lost: it is made again.
    removeEmpty(folder);
    throw error;
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody else uses it already.
  }
}
