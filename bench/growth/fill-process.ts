import { fork } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fillPayments } from './fill.ts'

/** What a payment takes on disk with its hold, its entry, its request, its event and their indexes; measured with a million. */
const bytesPerPayment = 800
/** Beside the database: the sorting of an index, and what the measurement adds. */
const reserve = 1.15

/** Null: there is room for `count` payments in `folder`; otherwise what is missing. */
export function findMissingRoom(count: number, folder: string): string | null {
  const { bavail, bsize } = statfsSync(folder)
  return missingRoom(count, bavail * bsize, folder)
}

export function missingRoom(count: number, freeBytes: number, folder: string): string | null {
  const needed = count * bytesPerPayment * reserve
  if (needed <= freeBytes) return null
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`
  return `${count.toLocaleString('en-US')} payments need ${gib(needed)} in ${folder}, where ${gib(freeBytes)} are free`
}

/** `fillPayments` in a process of its own: it can be stopped at any time, and this one goes on showing its progress. */
export async function fillInProcess(
  path: string,
  count: number,
  onProgress: (status: string) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  const missing = findMissingRoom(count, dirname(path))
  if (missing !== null) throw new Error(missing)
  const child = fork(fileURLToPath(import.meta.url), [path, String(count)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  })
  const kill = (): void => void child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  child.on('message', (status: string) => onProgress(status))
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, by) =>
        code === 0 ? resolve() : reject(new Error(`filling in payments ended: ${by ?? `code ${code}`}`)),
      )
    })
  } finally {
    signal.removeEventListener('abort', kill)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , path = '', count = ''] = process.argv
  fillPayments(path, Number(count), (status) => process.send?.(status))
  process.disconnect()
}
