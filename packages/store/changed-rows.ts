import type { Rows } from '@penstock/domain/working-set.ts'

/** Finds a stored row by key, or undefined. */
export type LoadRow<Row> = (key: string) => Row | undefined

/**
 * One table of a working set: rows are loaded on first use, kept for the batch, and remembered as inserted or
 * updated. A row that was inserted and then updated in one batch is one insert.
 */
export class ChangedRows<Row> implements Rows<Row> {
  readonly inserted = new Map<string, Row>()
  readonly updated = new Map<string, Row>()
  /** Null: looked for, and not there. */
  readonly #loaded = new Map<string, Row | null>()
  readonly #load: LoadRow<Row>

  constructor(load: LoadRow<Row>) {
    this.#load = load
  }

  find(key: string): Row | undefined {
    const row = this.#loaded.get(key)
    if (row !== undefined) return row ?? undefined
    const stored = this.#load(key)
    this.#loaded.set(key, stored ?? null)
    return stored
  }

  insert(key: string, row: Row): void {
    if (this.find(key) !== undefined) throw new Error(`row ${key} is inserted although it exists`)
    this.#loaded.set(key, row)
    this.inserted.set(key, row)
  }

  update(key: string, row: Row): void {
    if (this.find(key) === undefined) throw new Error(`row ${key} is updated but does not exist`)
    this.#loaded.set(key, row)
    if (this.inserted.has(key)) this.inserted.set(key, row)
    else this.updated.set(key, row)
  }

  get isChanged(): boolean {
    return this.inserted.size > 0 || this.updated.size > 0
  }
}
