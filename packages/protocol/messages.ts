import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { BriefResult } from './brief-result.ts'

/** Raised whenever a frame, a message or a structure changes. Processes of different versions refuse each other. */
export const protocolVersion = 2

/** http → writer, once, first. */
export interface Hello {
  readonly protocol: number
  readonly pid: number
  /**
   * The highest commit this process has seen acknowledged. A writer that is behind it has lost commits (a restored
   * backup, a torn log) and refuses to serve.
   */
  readonly seenSeq: number
  /**
   * Whether to hear of every commit. A process that does not is sent the replies to its own commands and nothing else,
   * so that it costs the writer nothing per commit.
   */
  readonly follows: boolean
}

/** writer → http: you are connected. */
export interface Welcome {
  readonly protocol: number
  readonly epoch: number
  readonly seq: number
  /** Of the ids this process makes: no other process has it (domain/id-number.ts). Below `idSlots`. */
  readonly slot: number
}

/** writer → http: you are not, and why. */
export interface Refusal {
  readonly reason: string
}

/** A command and the number its reply will carry: unique on its connection, chosen by the sender. */
export interface NumberedCommand {
  readonly id: number
  readonly command: Command
}

/** The result of the command with this number, as `briefResult` has it. */
export interface Reply {
  readonly id: number
  readonly result: Result | BriefResult
}

/** The counters of one SKU after a commit. */
export interface SkuCounters {
  readonly skuId: string
  readonly stock: number
  readonly held: number
  readonly sold: number
}

/**
 * One group commit, as every HTTP process hears of it: what changed, and the replies to that process's own commands.
 * Changes come with the replies, so that nobody reads an acknowledged write from a stale copy (promise P6).
 */
export interface CommitMessage {
  readonly seq: number
  readonly skus: readonly SkuCounters[]
  /** Drops to read again from the database. */
  readonly dropIds: readonly string[]
  /** What is remembered of API keys is to be looked up again. */
  readonly apiKeysChanged: boolean
  readonly replies: readonly Reply[]
}
