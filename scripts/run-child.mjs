import { spawn } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * Ctrl-C reaches this process twice, from the terminal and from npm, a few milliseconds apart. Repeats within this
 * time are one request; a later one is an impatient user and is passed on.
 */
const REPEAT_MS = 400
const GUARD = pathToFileURL(path.join(path.dirname(fileURLToPath(import.meta.url)), 'guard.mjs')).href

/**
 * Runs a process to its end, with its output and signals as if it had been started directly.
 *
 * The child leads a session of its own: the terminal then signals only this process, and what is passed on here is
 * all the child gets, so each request to stop reaches it exactly once, however it was made (Ctrl-C, `kill` of npm,
 * of the group or of this process). The price is a child that `kill -9` of the group does not reach; the guard makes
 * it stop by itself when this process is gone.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} options
 * @param {string} options.cwd
 * @param {NodeJS.ProcessEnv} options.env
 * @param {boolean} options.guarded  only for Node.js >= 20 whose file descriptor 3 is free
 * @param {readonly ('inherit' | 'ignore' | number)[]} [options.stdio]
 * @returns {Promise<number>} the exit code; 128 + n after signal n, as shells count. Rejects when it cannot start.
 */
export function runChild(command, args, { cwd, env, guarded, stdio = ['inherit', 'inherit', 'inherit'] }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, guarded ? ['--import', GUARD, ...args] : [...args], {
      cwd,
      env: guarded ? { ...env, RUN_GUARD: '3' } : env,
      stdio: guarded ? [...stdio, 'pipe'] : [...stdio],
      detached: true,
    })
    const release = forwardSignals(child)
    child.once('error', (error) => {
      release()
      reject(error)
    })
    child.once('exit', (code, signal) => {
      release()
      child.stdio[3]?.destroy()
      resolve(code ?? 128 + (signal === null ? 0 : os.constants.signals[signal]))
    })
  })
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => void} stops forwarding
 */
function forwardSignals(child) {
  /** @type {Map<NodeJS.Signals, number>} */
  const lastMs = new Map()
  /** @type {(received: NodeJS.Signals) => void} */
  const forward = (received) => {
    const nowMs = performance.now()
    const previousMs = lastMs.get(received) ?? -Infinity
    lastMs.set(received, nowMs)
    if (nowMs - previousMs < REPEAT_MS) return
    // A closed terminal is no reason to skip the drain, and SIGHUP would kill a process that does not listen for it.
    child.kill(received === 'SIGHUP' ? 'SIGTERM' : received)
  }
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  return () => {
    for (const signal of signals) process.off(signal, forward)
  }
}
