import { decide } from '@penstock/engine/decide.ts'
import { MemoryData, MemoryStore } from './memory-store.ts'
import { cutAt, openingCommands, startMs } from './random-sale.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'
import type { Committed } from '@penstock/store/store.ts'
import type { Moment } from './random-sale.ts'

/** A store that needs no network: the model's or SQLite's. */
export interface SyncStore {
  transact<T>(nowMs: number, decideAll: (set: WorkingSet) => T): Committed<T>
}

/** Decides and saves `commands` as one batch. */
export function run(store: SyncStore, commands: readonly Command[], nowMs: number): Result[] {
  return store.transact(nowMs, (set) => commands.map((command) => decide(set, command, nowMs))).value
}

/** A model store with the drops of random sales on it. */
export function openMemory(): { store: MemoryStore; data: MemoryData } {
  const data = new MemoryData()
  const store = new MemoryStore(data)
  run(store, openingCommands, startMs)
  return { store, data }
}

/** Every moment as one batch. */
export function runWhole(store: SyncStore, moments: readonly Moment[]): Result[] {
  return moments.flatMap(({ nowMs, commands }) => run(store, commands, nowMs))
}

/** Every moment in several batches, each saved before the next. */
export function runInPieces(store: SyncStore, moments: readonly Moment[], cuts: readonly number[]): Result[] {
  return moments.flatMap(({ nowMs, commands }) => cutAt(commands, cuts).flatMap((piece) => run(store, piece, nowMs)))
}
