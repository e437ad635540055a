import { closeSync, openSync, readSync } from 'node:fs'

const sampleMs = 10
const headerBytes = 48
/** Before each page in the WAL; see https://sqlite.org/fileformat.html#the_write_ahead_log. */
const frameHeaderBytes = 24

/** The part of the WAL index's header that says how long the log is and which log it is. */
export interface WalHeader {
  readonly pageBytes: number
  readonly frames: number
  /** Changes when the log starts anew. */
  readonly salt: number
}

/** https://sqlite.org/walformat.html#the_wal_index_header, in the byte order of the machine (little, everywhere here). */
export function readWalHeader(bytes: Buffer): WalHeader {
  const pageBytes = bytes.readUInt16LE(14)
  return {
    pageBytes: pageBytes === 1 ? 65_536 : pageBytes,
    frames: bytes.readUInt32LE(16),
    salt: bytes.readUInt32LE(32),
  }
}

/** Bytes appended between two looks. Frames of a log that ended unseen in between are missed. */
export function appendedBytes(before: WalHeader, after: WalHeader): number {
  const frames = after.salt === before.salt ? after.frames - before.frames : after.frames
  return Math.max(0, frames) * (after.pageBytes + frameHeaderBytes)
}

/**
 * Adds up what is written to the WAL of a database, by looking at its index every 10 ms: the log itself starts anew every
 * few MiB. Misses what was written between the last look and such a start: 1 or 2 percent.
 */
export class WalWatch {
  readonly #file: number
  readonly #timer: NodeJS.Timeout
  readonly #bytes = Buffer.alloc(headerBytes)
  #last: WalHeader
  #sum = 0

  constructor(databasePath: string) {
    this.#file = openSync(`${databasePath}-shm`, 'r')
    this.#last = this.#look()
    this.#timer = setInterval(() => this.#sample(), sampleMs)
  }

  /** Bytes written while this was watching. */
  stop(): number {
    clearInterval(this.#timer)
    this.#sample()
    closeSync(this.#file)
    return this.#sum
  }

  #sample(): void {
    const header = this.#look()
    this.#sum += appendedBytes(this.#last, header)
    this.#last = header
  }

  #look(): WalHeader {
    readSync(this.#file, this.#bytes, 0, headerBytes, 0)
    return readWalHeader(this.#bytes)
  }
}
