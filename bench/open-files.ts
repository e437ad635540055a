import { readFileSync } from 'node:fs'
import { UsageError } from '@penstock/testing/command-line.ts'

/** Files a process has open besides its connections: libraries, databases, pipes, sockets between processes. */
const othersMax = 256

/** Throws UsageError when a process may not open so many connections at once: it would fail in the middle of a load. */
export function requireConnections(option: string, connections: number): void {
  const files = openFilesMax()
  if (files !== null && connections + othersMax > files) throw new UsageError(tooMany(option, connections, files))
}

export function tooMany(option: string, connections: number, files: number): string {
  const show = (value: number): string => value.toLocaleString('en-US')
  const needed = connections + othersMax
  return `--${option} is ${show(connections)}, but a process may open ${show(files)} files here: raise it with "ulimit -n ${needed}"`
}

/** Null where there is no /proc, or no limit. Node.js raises its own to the hard limit when it starts. */
function openFilesMax(): number | null {
  try {
    return readOpenFiles(readFileSync('/proc/self/limits', 'latin1'))
  } catch {
    return null
  }
}

/** The soft limit in /proc/self/limits; null: unlimited, or not said. */
export function readOpenFiles(limits: string): number | null {
  const soft = /^Max open files +(\d+)/m.exec(limits)?.[1]
  return soft === undefined ? null : Number(soft)
}
