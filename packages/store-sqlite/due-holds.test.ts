import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mintId } from '@penstock/domain/id.ts'
import { clockSkewMs } from '@penstock/domain/limits.ts'
import { DueHolds } from './due-holds.ts'
import { openWriter } from './open.ts'
import type { Database as Connection } from 'better-sqlite3'

const startMs = 1_700_000_000_000
const hourMs = 3_600_000

let folder: string
let db: Connection

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-due-holds-'))
  db = openWriter(join(folder, 'penstock.db'))
})

afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true })
})

let lastSeq = 0

function id(createdMs: number, number: number): string {
  return mintId('hold', createdMs, new Uint8Array(10).fill(number))
}

function insert(holdId: string, expiresMs: number, status: 'active' | 'captured'): void {
  db.prepare(
    `INSERT INTO hold_start (id, seq, drop_id, amount, currency, lines, customer, client_secret, created_ms, expires_ms)
     VALUES (?, ?, 'drop', 1, 'usd', '[]', '{}', 'cs', 1, ?)`,
  ).run(holdId, ++lastSeq, expiresMs)
  if (status !== 'active') db.prepare('INSERT INTO hold_end (hold_seq, status) VALUES (?, ?)').run(lastSeq, status)
}

describe('DueHolds', () => {
  it('lists holds at or past their deadline, the earliest first, then by id, at most so many', () => {
    const due = new DueHolds(db)
    due.add({ id: 'late', expiresMs: startMs + 60_000 })
    due.add({ id: 'b', expiresMs: startMs + 10 })
    due.add({ id: 'a', expiresMs: startMs + 10 })
    due.add({ id: 'first', expiresMs: startMs - 5_000 })
    due.add({ id: 'next', expiresMs: startMs + 11 })
    expect(due.list(startMs + 10, 10)).toEqual(['first', 'a', 'b'])
    expect(due.list(startMs + 10, 2)).toEqual(['first', 'a'])
    expect(due.list(startMs - 5_001, 10)).toEqual([])
    expect(due.list(startMs + hourMs, 10)).toEqual(['first', 'a', 'b', 'next', 'late'])
  })

  it('forgets a removed hold, and takes one whose deadline is before all others', () => {
    const due = new DueHolds(db)
    due.add({ id: 'a', expiresMs: startMs })
    due.remove({ id: 'a', expiresMs: startMs })
    due.remove({ id: 'a', expiresMs: startMs })
    expect(due.list(startMs + hourMs, 10)).toEqual([])
    due.add({ id: 'b', expiresMs: startMs + hourMs })
    expect(due.list(startMs, 10)).toEqual([])
    due.add({ id: 'early', expiresMs: startMs - hourMs })
    expect(due.list(startMs, 10)).toEqual(['early'])
  })

  it('says until when every hold has ended', () => {
    const due = new DueHolds(db)
    expect(due.settledMs(startMs)).toBe(startMs)
    due.add({ id: 'a', expiresMs: startMs + 1_500 })
    expect(due.settledMs(startMs)).toBe(startMs)
    expect(due.settledMs(startMs + hourMs)).toBe(startMs + 1_000)
    due.remove({ id: 'a', expiresMs: startMs + 1_500 })
    expect(due.settledMs(startMs + hourMs)).toBe(startMs + hourMs)
  })

  it('reads the active holds at start, and only those that may be active', () => {
    db.prepare('UPDATE writer_state SET settled_ms = ?, longest_hold_ms = ?').run(startMs, hourMs)
    const oldest = startMs - hourMs - clockSkewMs
    insert(id(oldest - 1, 1), startMs + 1, 'active')
    insert(id(oldest, 2), startMs + 2, 'active')
    insert(id(startMs, 3), startMs + 3, 'captured')
    insert(id(startMs, 4), startMs + hourMs, 'active')
    expect(new DueHolds(db).list(startMs + hourMs, 10)).toEqual([id(oldest, 2), id(startMs, 4)])
  })

  it('reads them in several looks, and says how far it is', () => {
    const ids = Array.from({ length: 7 }, (_, at) => id(startMs + at, at))
    for (const [at, holdId] of ids.entries()) insert(holdId, startMs, at % 3 === 1 ? 'captured' : 'active')
    const lines: string[] = []
    const due = new DueHolds(db, (line) => lines.push(line), 3)
    expect(due.list(startMs, 10)).toEqual(ids.filter((_, at) => at % 3 !== 1))
    expect(lines).toEqual(['looking for active holds, 3 looked at', 'looking for active holds, 6 looked at'])
  })
})
