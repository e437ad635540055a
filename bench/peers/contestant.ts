import type { RowCounts } from '../row-counts.ts'
import type { Sale } from '../sale.ts'

/** A server of the same sale, while it runs. */
export interface Contestant {
  readonly sale: Sale
  /** Of everything that serves, its database included; asked when the load begins. */
  pids(): readonly number[]
  countRows(): RowCounts | Promise<RowCounts>
  /** Null: nothing is wrong with the data, or there is no audit for it. */
  audit(signal: AbortSignal): Promise<string | null>
  close(): Promise<void>
}

/** How to start one. */
export interface Peer {
  readonly name: string
  /** What it is, and how durable, for the report. */
  readonly description: string
  /** Null when it can be measured here; otherwise why not. May take minutes (a compiler). */
  prepare(onStatus: (status: string) => void, signal: AbortSignal): Promise<string | null>
  start(): Promise<Contestant>
}
