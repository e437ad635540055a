import { randomFillSync } from 'node:crypto'
import { mintId } from '@penstock/domain/id.ts'
import type { ApiKeyKind } from '@penstock/domain/api-key.ts'
import type { IdKind } from '@penstock/domain/id.ts'

const idBytes = 10
/** 192 bits: nobody guesses one. */
const secretBytes = 24
const requestIdBytes = 12
/** Random bytes are drawn in blocks: one call to the generator for some 400 ids. */
const poolBytes = 4_096

/** Makes ids and secrets for commands. They travel in the command, so that deciding it again gives the same bytes. */
export class Mint {
  readonly #clock: () => number
  readonly #mode: 'test' | 'live'
  readonly #pool = Buffer.allocUnsafe(poolBytes)
  #used = poolBytes

  constructor(clock: () => number, mode: 'test' | 'live' = 'test') {
    this.#clock = clock
    this.#mode = mode
  }

  id(kind: IdKind): string {
    return mintId(kind, this.#clock(), this.#pool, this.#take(idBytes))
  }

  clientSecret(): string {
    return `cs_${this.#text(secretBytes)}`
  }

  /** The clear text of an API key. */
  apiKeySecret(kind: ApiKeyKind): string {
    return `${kind === 'secret' ? 'sk' : 'pk'}_${this.#mode}_${this.#text(secretBytes)}`
  }

  /** An idempotency key nobody else has, for commands that need one and came without. */
  key(): string {
    return this.#text(secretBytes)
  }

  /** Names one request in an error and in the log. */
  requestId(): string {
    return `req_${this.#text(requestIdBytes)}`
  }

  #text(bytes: number): string {
    const start = this.#take(bytes)
    return this.#pool.toString('base64url', start, start + bytes)
  }

  /** The offset of `bytes` fresh bytes. */
  #take(bytes: number): number {
    if (this.#used + bytes > poolBytes) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    const start = this.#used
    this.#used += bytes
    return start
  }
}
