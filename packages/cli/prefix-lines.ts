import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** Passes each line of `stream` on with `prefix` before it. */
export function prefixLines(stream: Readable, prefix: string, log: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => log(prefix + line))
}
