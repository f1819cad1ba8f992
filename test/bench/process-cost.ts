import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU time of a process so far in ms, user and system, of all its threads (proc(5)). */
export function cpuMs(pid: number): number {
  // The command's name may hold spaces; what follows its closing parenthesis does not.
  const fields = stat(pid).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Largest resident set that a process has had, in MB. */
export function peakRssMb(pid: number): number {
  return memoryMb(pid, 'VmHWM');
}

/** Resident set of a process and of its children now, in MB. */
export function residentMb(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + memoryMb(one, 'VmRSS'), 0);
}

/** A value of proc(5)'s status file that is given in kB. */
function memoryMb(pid: number, key: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** The children that a process has now. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => {
      try {
        return Number(stat(candidate).split(' ')[1]) === pid;
      } catch {
        return false;
      }
    });
}

/** From the state on: fields 3 and following. */
function stat(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2);
}
