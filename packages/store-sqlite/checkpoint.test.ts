import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { commitsPerWalCheck, walPagesBusy, walPagesIdle, walPagesMax } from '@penstock/domain/limits.ts'
import { Checkpointer } from './checkpoint.ts'
import { openReader, openWriter } from './open.ts'
import type { Database as Connection } from 'better-sqlite3'

/** The smallest page SQLite has: the bounds are in pages, and so are reached with an eighth of the bytes. */
const pageBytes = 512
/** Pages that one commit of `Wal` writes, roughly. */
const commitPages = 2_000

let folder = ''
let wal: Wal

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-wal-'))
  wal = new Wal(join(folder, 'penstock.db'))
})
afterEach(() => {
  wal.checkpointer.close()
  wal.db.close()
  rmSync(folder, { recursive: true })
})

/** A database with small pages, to which big commits are made. */
class Wal {
  readonly path: string
  readonly db: Connection
  readonly checkpointer: Checkpointer
  nowMs = 0
  #commits = 0

  constructor(path: string) {
    const seed = new Database(path)
    seed.pragma(`page_size = ${pageBytes}`)
    seed.exec('CREATE TABLE big (id INTEGER PRIMARY KEY, commits INTEGER, body BLOB)')
    seed.close()
    this.path = path
    this.db = openWriter(path)
    this.checkpointer = new Checkpointer(this.db, () => this.nowMs)
  }

  commit(): void {
    this.#commits += 1
    const insert = this.db.prepare<[number, number, number]>('INSERT OR REPLACE INTO big VALUES (?, ?, zeroblob(?))')
    insert.run(this.#commits % 4, this.#commits, commitPages * pageBytes)
  }

  /** Pages in the file, and those of them that are not in the database yet. */
  state(): { readonly pages: number; readonly pending: number } {
    const [state] = this.db.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[]
    if (state === undefined) throw new Error('SQLite says nothing about its WAL')
    return { pages: state.log, pending: state.log - state.checkpointed }
  }
}

it('Checkpointer moves the WAL when idle, once it is worth it', () => {
  wal.db.exec('UPDATE writer_state SET seq = 1')
  wal.checkpointer.afterCommit(true)
  expect(wal.state().pending).toBeGreaterThan(0)
  expect(wal.state().pending).toBeLessThan(walPagesIdle)
  wal.commit()
  expect(wal.state().pending).toBeGreaterThan(walPagesIdle)
  wal.checkpointer.afterCommit(true)
  expect(wal.state().pending).toBe(0)
})

it('Checkpointer when busy looks every commitsPerWalCheck commits and waits for walPagesBusy', async () => {
  wal.commit()
  for (let count = 0; count < commitsPerWalCheck; count++) wal.checkpointer.afterCommit(false)
  expect(wal.state().pending).toBeGreaterThan(walPagesIdle)
  while (wal.state().pending < walPagesBusy) wal.commit()
  for (let count = 1; count < commitsPerWalCheck; count++) wal.checkpointer.afterCommit(false)
  expect(wal.state().pending).toBeGreaterThan(walPagesBusy)
  wal.checkpointer.afterCommit(false)
  wal.db.exec('UPDATE writer_state SET seq = seq + 1')
  expect(wal.state().pending).toBeGreaterThan(walPagesBusy)
  // The thread moves what there was, and then the rest is moved here.
  await vi.waitFor(() => expect(wal.state().pending).toBe(0), { timeout: 10_000, interval: 5 })
})

it('Checkpointer says at the next commit that the thread failed', async () => {
  while (wal.state().pending < walPagesBusy) wal.commit()
  renameSync(wal.path, `${wal.path}.gone`)
  for (let count = 0; count < commitsPerWalCheck; count++) wal.checkpointer.afterCommit(false)
  await vi.waitFor(() => expect(() => wal.checkpointer.afterCommit(false)).toThrow('unable to open database file'), {
    timeout: 10_000,
    interval: 5,
  })
})

it('Checkpointer makes the WAL start anew once nobody reads it', () => {
  for (let count = 0; count < 30; count++) {
    wal.commit()
    wal.checkpointer.afterCommit(true)
  }
  expect(statSync(`${wal.path}-wal`).size).toBeLessThan(2 * commitPages * (pageBytes + 24))
})

it('Checkpointer does not disturb commits while a reader holds a snapshot, nor the reader', () => {
  wal.commit()
  const reader = openReader(wal.path)
  const lastCommit = reader.prepare<[], number>('SELECT max(commits) FROM big').pluck()
  reader.exec('BEGIN')
  expect(lastCommit.get()).toBe(1)
  for (let count = 0; count < 5; count++) {
    wal.commit()
    wal.checkpointer.afterCommit(true)
  }
  expect(lastCommit.get()).toBe(1)
  expect(wal.state().pending).toBeGreaterThan(0)
  reader.exec('COMMIT')
  expect(lastCommit.get()).toBe(6)
  wal.checkpointer.afterCommit(true)
  expect(wal.state().pending).toBe(0)
  reader.close()
})

/** Two readers in turn, each beginning before the other ends, until `signal` is 2. Sets it to 1 once they began. */
const overlappingReaders = `
  const { path, open, signal } = require('node:worker_threads').workerData
  import(open).then(({ openReader }) => {
    const readers = [openReader(path), openReader(path)]
    const begin = (reader) => {
      reader.exec('BEGIN')
      reader.prepare('SELECT seq FROM writer_state').get()
    }
    begin(readers[0])
    Atomics.store(signal, 0, 1)
    Atomics.notify(signal, 0)
    for (let turn = 1; Atomics.load(signal, 0) !== 2; turn++) {
      begin(readers[turn % 2])
      Atomics.wait(signal, 0, 1, 3)
      readers[(turn + 1) % 2].exec('COMMIT')
    }
    for (const reader of readers) reader.close()
  })
`

it('Checkpointer keeps the WAL bounded although readers overlap without end', async () => {
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const open = new URL('./open.ts', import.meta.url).href
  const worker = new Worker(overlappingReaders, { eval: true, workerData: { path: wal.path, open, signal } })
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  Atomics.wait(signal, 0, 0)
  let pagesMax = 0
  for (let written = 0; written < 2 * walPagesMax; written += commitPages) {
    wal.commit()
    pagesMax = Math.max(pagesMax, wal.state().pages)
    wal.checkpointer.afterCommit(true)
  }
  Atomics.store(signal, 0, 2)
  Atomics.notify(signal, 0)
  await ended
  expect(pagesMax).toBeGreaterThan(walPagesMax / 2)
  expect(pagesMax).toBeLessThan(walPagesMax + 2 * commitPages)
})
