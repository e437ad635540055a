/**
 * Loaded before the entry by `run-child.mjs`: when the parent is gone without having stopped this process (kill -9),
 * asks this process to stop as a Ctrl-C would. Keeps nothing alive and leaves no trace for grandchildren.
 */
import { Socket } from 'node:net'

const descriptor = process.env.RUN_GUARD
delete process.env.RUN_GUARD
if (descriptor !== undefined) {
  const at = process.execArgv.findIndex((arg, i) => arg === '--import' && process.execArgv[i + 1] === import.meta.url)
  if (at >= 0) process.execArgv.splice(at, 2)
  const parent = new Socket({ fd: Number(descriptor), readable: true, writable: false })
  parent.on('error', () => undefined)
  parent.on('close', () => process.kill(process.pid, 'SIGTERM'))
  parent.resume()
  parent.unref()
}
