import Database from 'better-sqlite3'

/** One prepared statement, or many that differ in their number of rows only. */
export interface StatementCost {
  readonly sql: string
  readonly calls: number
  readonly ms: number
}

type Method = (this: { readonly source: string }, ...args: unknown[]) => unknown

/**
 * Times every call of every statement that is prepared while it watches, in this process. It replaces `run`, `get` and
 * `all` of better-sqlite3's statements, so the code under it is the real one; each call is 0.1 us or so slower.
 */
export class StatementWatch {
  readonly #costs = new Map<string, { calls: number; ms: number }>()
  readonly #restore: () => void

  constructor() {
    const db = new Database(':memory:')
    const prototype = Object.getPrototypeOf(db.prepare('SELECT 1')) as Record<string, Method>
    db.close()
    const originals = (['run', 'get', 'all'] as const).map((name) => [name, prototype[name]] as const)
    const costs = this.#costs
    for (const [name, original] of originals) {
      if (original === undefined) continue
      prototype[name] = function timed(...args) {
        const startedMs = performance.now()
        const result = original.apply(this, args)
        const ms = performance.now() - startedMs
        const cost = costs.get(this.source)
        if (cost === undefined) {
          costs.set(this.source, { calls: 1, ms })
        } else {
          cost.calls += 1
          cost.ms += ms
        }
        return result
      }
    }
    this.#restore = () => {
      for (const [name, original] of originals) if (original !== undefined) prototype[name] = original
    }
  }

  /** Forgets what was seen. */
  reset(): void {
    this.#costs.clear()
  }

  /** The dearest first. */
  stop(): StatementCost[] {
    this.#restore()
    return [...this.#costs].map(([sql, cost]) => ({ sql: shorten(sql), ...cost })).toSorted((a, b) => b.ms - a.ms)
  }
}

/** `VALUES (?, ?), (?, ?), ...` as `VALUES 16 × (?, ?)`, in one line. */
export function shorten(sql: string): string {
  const line = sql.replaceAll(/\s+/g, ' ').trim()
  return line.replace(/VALUES (\([?, ]+\))((?:, \1)+)/, (_, row: string, more: string) => {
    return `VALUES ${1 + more.length / (row.length + 2)} × ${row}`
  })
}
