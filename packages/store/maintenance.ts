/**
 * What a data folder can be asked and told beside its sale: the port of the command line. Everything here opens the
 * database for the call and closes it again.
 */
export interface Maintenance {
  /** The database and its release, such as `SQLite 3.53.4`. */
  readonly engine: string
  /** The schema version this release reads and writes. */
  readonly schemaVersion: number
  /** The names of the checks of `audit`, in their order. */
  readonly auditChecks: readonly string[]
  /** The schema version of the database in `dataFolder`; null when there is none. Throws when it cannot be read. */
  readSchemaVersion(dataFolder: string): number | null
  /** Whether a courier works on this folder now, as its lock says. */
  isCourierRunning(dataFolder: string): boolean
  /** Reads only; may run beside a box. Throws when there is no database; SchemaError for one of another release. */
  audit(dataFolder: string, options: AuditOptions): AuditReport
  /**
   * Brings the database of a stopped box up to `schemaVersion`. Throws WriterLockedError (`code` is `writer_locked`)
   * while a writer runs, SchemaError (`schema_mismatch`) for a database that this release cannot bring there, and when
   * there is no database. `log` gets a line per migration: a large database takes minutes.
   */
  migrate(
    dataFolder: string,
    options: { readonly log: (line: string) => void },
  ): { readonly from: number; readonly to: number }
}

/** One thing that must never be: the row, what it must say, and what it says. */
export interface Violation {
  readonly check: string
  readonly table: string
  readonly key: string
  readonly expected: string
  readonly found: string
}

export interface AuditOptions {
  /** Which checks to run; absent: all of them. */
  readonly only?: readonly string[]
  /** Called before each check, and with null while rows are counted. */
  readonly onCheck?: (check: string | null, index: number, count: number) => void
}

/** What an audit looked at and what it found. */
export interface AuditReport {
  /** The last commit when the audit began and when it ended; equal when nobody wrote meanwhile. */
  readonly seqFrom: number
  readonly seqTo: number
  /** Rows of each table, counted in one snapshot. */
  readonly rows: Readonly<Record<string, number>>
  /** Sums of that snapshot, in minor units. */
  readonly payments: readonly PaymentSum[]
  readonly balances: readonly AccountBalance[]
  readonly checks: readonly string[]
  /** A few of each check; empty: the database is sound. */
  readonly violations: readonly Violation[]
}

export interface PaymentSum {
  readonly currency: string
  readonly status: string
  readonly count: number
  readonly amount: number
}

export interface AccountBalance {
  readonly account: string
  readonly currency: string
  readonly balance: number
}
