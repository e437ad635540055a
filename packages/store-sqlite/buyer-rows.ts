import { BulkInsert } from './bulk-insert.ts'
import { DeferredIndex } from './deferred-index.ts'
import type { ChangeSet, RowSource } from '@penstock/store/working-set.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'

/** What the deferred index finds rows by. */
export const buyerKeySql = 'id'

/**
 * The writer's reads and writes of `buyer_units`, the counters of per-customer limits. Their ids are digests and come in
 * random order, so rows are appended and found through a deferred index (docs/adr/0013-buyers-are-appended.md). Rows are
 * updated where they are, at the end for buyers who came lately, and never deleted.
 */
export class BuyerRows {
  readonly buyers: RowSource['buyers']
  readonly index: DeferredIndex
  readonly #insert: BulkInsert
  readonly #update: Statement<[units: number, seq: number]>
  /** Numbers of the rows that the open transaction has found: what it updates is among them. */
  readonly #found = new Map<string, number>()

  /** `indexTailMax`: keys of the index kept in memory; its own bound when undefined. */
  constructor(db: Connection, indexTailMax?: number) {
    this.index = new DeferredIndex(db, { name: 'buyer_units', key: buyerKeySql }, indexTailMax)
    this.#insert = new BulkInsert(db, 'buyer_units', 'seq, id, units')
    this.#update = db.prepare('UPDATE buyer_units SET units = ? WHERE seq = ?')
    const units = db.prepare<[number], number>('SELECT units FROM buyer_units WHERE seq = ?').pluck()
    this.buyers = (id) => {
      const seq = this.index.find(id)
      if (seq === undefined) return undefined
      const stored = units.get(seq)
      if (stored === undefined) return undefined
      this.#found.set(id, seq)
      return { id, units: stored }
    }
  }

  save({ buyers }: ChangeSet): void {
    if (!buyers.isChanged) return
    let seq = this.index.lastSeq
    this.#insert.run([...buyers.inserted.values()].map(({ id, units }) => [++seq, id, units]))
    this.index.merge(buyers.inserted.size)
    for (const { id, units } of buyers.updated.values()) this.#update.run(units, this.#seqOf(id))
  }

  /** After the commit. */
  committed({ buyers }: ChangeSet): void {
    this.#found.clear()
    this.index.committed(buyers.inserted.keys())
  }

  /** The transaction was rolled back. */
  rolledBack(): void {
    this.#found.clear()
    this.index.rolledBack()
  }

  #seqOf(id: string): number {
    const seq = this.#found.get(id)
    if (seq === undefined) throw new Error(`${id} is updated although nobody looked for it`)
    return seq
  }
}
