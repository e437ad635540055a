import { isErased } from '@penstock/domain/customer.ts'
import { BulkInsert } from './bulk-insert.ts'
import { DueHolds } from './due-holds.ts'
import { encodeCustomer, encodeFees, encodeLines, holdColumns, holdStartColumns, toHold } from './rows.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { ChangeSet, RowSource } from '@penstock/store/working-set.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { SqlValue } from './bulk-insert.ts'
import type { HoldRow } from './rows.ts'

/** Active holds kept in memory, the newest (some 150 MB): most are paid soon, and their payment needs them again. */
const keptHoldsMax = 262_144

interface NumberedHold {
  readonly hold: Hold
  readonly seq: number
}

/**
 * The writer's reads and writes of holds. How a hold starts and how it ends are two rows that are appended and never
 * changed but for its erased customer (docs/adr/0008-holds-are-appended.md). The end is found by the number that the
 * start was given, so that many ends share a page in whatever order holds are paid.
 */
export class HoldRows {
  readonly holds: RowSource['holds']
  readonly due: DueHolds
  readonly #db: Connection
  readonly #insert: BulkInsert
  readonly #end: BulkInsert
  readonly #erase: Statement<[customer: string, id: string]>
  /** Committed and active, the oldest first. */
  readonly #kept = new Map<string, NumberedHold>()
  /** Numbers of the rows that the open transaction has read: what it ends is kept or among them. */
  readonly #found = new Map<string, number>()
  #lastSeq: number
  /** No stored hold has an id behind it in the alphabet. Empty: there is none. */
  #lastId: string

  constructor(db: Connection, log?: (line: string) => void) {
    this.#db = db
    this.due = new DueHolds(db, log)
    this.#insert = new BulkInsert(db, 'hold_start', `seq, ${holdStartColumns}`)
    // A hold that ended ends once more when late money takes its units again.
    this.#end = new BulkInsert(
      db,
      'hold_end',
      'hold_seq, status',
      'ON CONFLICT (hold_seq) DO UPDATE SET status = excluded.status',
    )
    this.#erase = db.prepare('UPDATE hold_start SET customer = ? WHERE id = ?')
    this.#lastSeq = db.prepare<[], number | null>('SELECT max(seq) FROM hold_start').pluck().get() ?? 0
    this.#lastId = db.prepare<[], string | null>('SELECT max(id) FROM hold_start').pluck().get() ?? ''
    const row = db
      .prepare<[string], readonly [seq: number, ...HoldRow]>(`SELECT seq, ${holdColumns} FROM hold WHERE id = ?`)
      .raw()
    this.holds = (id) => {
      const kept = this.#kept.get(id)
      if (kept !== undefined) return kept.hold
      // Ids sort by time: nearly every new hold is looked for, and is behind all that are stored.
      if (id > this.#lastId) return undefined
      const stored = row.get(id)
      if (stored === undefined) return undefined
      const [seq, ...columns] = stored
      this.#found.set(id, seq)
      return toHold(columns)
    }
  }

  save({ holds }: ChangeSet): void {
    if (!holds.isChanged) return
    const ends: SqlValue[][] = []
    let seq = this.#lastSeq
    const starts = [...holds.inserted.values()].map((hold) => {
      seq += 1
      if (hold.status !== 'active') ends.push([seq, hold.status])
      return startValues(hold, seq)
    })
    this.#insert.run(starts)
    // Of a hold only the status changes, and the customer when it is erased. An ended one is never active again.
    for (const hold of holds.updated.values()) {
      if (hold.status !== 'active') ends.push([this.#seqOf(hold.id), hold.status])
      if (isErased(hold.customer)) this.#saveErased(hold)
    }
    this.#end.run(ends)
  }

  /** After the commit: what is in memory becomes what was committed. */
  committed({ holds }: ChangeSet): void {
    this.#found.clear()
    // A hold that ended is seldom asked for again, and its row says how it ended.
    for (const hold of holds.updated.values()) {
      this.#kept.delete(hold.id)
      if (hold.status !== 'active') this.due.remove(hold)
    }
    for (const hold of holds.inserted.values()) {
      this.#lastSeq += 1
      if (hold.id > this.#lastId) this.#lastId = hold.id
      if (hold.status !== 'active') continue
      this.#kept.set(hold.id, { hold, seq: this.#lastSeq })
      this.due.add(hold)
    }
    if (this.#kept.size > keptHoldsMax) this.#dropOldest()
  }

  /** The transaction was rolled back. */
  rolledBack(): void {
    this.#found.clear()
  }

  #dropOldest(): void {
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest)
      if (this.#kept.size <= keptHoldsMax) return
    }
  }

  #seqOf(id: string): number {
    const seq = this.#kept.get(id)?.seq ?? this.#found.get(id)
    if (seq === undefined) throw new Error(`${id} is changed although nobody looked for it`)
    return seq
  }

  /** Zeroes what the row frees: otherwise it stays in the page until something else needs the place. */
  #saveErased({ id, customer }: Hold): void {
    this.#db.pragma('secure_delete = ON')
    this.#erase.run(encodeCustomer(customer), id)
    this.#db.pragma('secure_delete = OFF')
  }
}

function startValues(hold: Hold, seq: number): SqlValue[] {
  return [
    seq,
    hold.id,
    hold.dropId,
    encodeLines(hold.lines),
    encodeFees(hold.fees),
    hold.amountMinor,
    hold.currency,
    encodeCustomer(hold.customer),
    hold.clientSecret,
    hold.createdMs,
    hold.expiresMs,
  ]
}
