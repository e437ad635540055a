import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { acquireWriterLock, isLocked, WriterLockedError } from './lock.ts'

let folder = ''
let path = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-lock-'))
  path = join(folder, 'writer.lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A process of its own that takes the lock, says so and stays. */
const holderSource = `
  import { acquireWriterLock } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)}
  globalThis.lock = acquireWriterLock(process.env.LOCK_PATH)
  process.stdout.write('held')
  setInterval(() => undefined, 60_000)
`

it('acquireWriterLock refuses while another process has the lock, and not after kill -9 of it', async () => {
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', holderSource], {
    env: { ...process.env, LOCK_PATH: path },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [said] = (await once(holder.stdout, 'data')) as [Buffer]
    expect(said.toString()).toBe('held')
    expect(() => acquireWriterLock(path)).toThrow(WriterLockedError)
    expect(() => acquireWriterLock(path)).toThrow(path)
    expect(isLocked(path)).toBe(true)
  } finally {
    const gone = once(holder, 'exit')
    holder.kill('SIGKILL')
    await gone
  }
  expect(isLocked(path)).toBe(false)
  acquireWriterLock(path).release()
})

it('isLocked takes nothing, and makes no file', () => {
  expect(isLocked(path)).toBe(false)
  expect(existsSync(path)).toBe(false)
  const lock = acquireWriterLock(path)
  expect([isLocked(path), isLocked(path)]).toEqual([true, true])
  lock.release()
  expect(isLocked(path)).toBe(false)
})

it('acquireWriterLock refuses a second lock in one process too, at once, with the code writer_locked', () => {
  const lock = acquireWriterLock(path)
  const startMs = performance.now()
  expect(() => acquireWriterLock(path)).toThrow(expect.objectContaining({ code: 'writer_locked' }))
  expect(performance.now() - startMs).toBeLessThan(1_000)
  lock.release()
})

it('acquireWriterLock succeeds again and again after release', () => {
  for (let count = 0; count < 3; count++) acquireWriterLock(path).release()
})

it('acquireWriterLock does not call another failure a held lock', () => {
  expect(() => acquireWriterLock(join(folder, 'no', 'such', 'folder'))).toThrow(/directory does not exist/)
})
