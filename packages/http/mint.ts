import { randomFillSync } from 'node:crypto'
import { isNumberedKind } from '@penstock/domain/id-number.ts'
import { mintId } from '@penstock/domain/id.ts'
import { idsPerSlotAndMs } from '@penstock/domain/limits.ts'
import type { ApiKeyKind } from '@penstock/domain/api-key.ts'
import type { IdKind } from '@penstock/domain/id.ts'

const idBytes = 10
/** 192 bits: nobody guesses one. */
const secretBytes = 24
const requestIdBytes = 12
const webhookSecretBytes = 32
/** Random bytes are drawn in blocks: one call to the generator for some 400 ids. */
const poolBytes = 4_096

/** Makes ids and secrets for commands. They travel in the command, so that deciding it again gives the same bytes. */
export class Mint {
  readonly #clock: () => number
  readonly #mode: 'test' | 'live'
  readonly #pool = Buffer.allocUnsafe(poolBytes)
  #used = poolBytes
  #slot = 0
  /** Of the last numbered id; never goes back. */
  #numberMs = 0
  #numberCount = 0

  constructor(clock: () => number, mode: 'test' | 'live' = 'test') {
    this.#clock = clock
    this.#mode = mode
  }

  /** The slot of this process at its writer. Before the first one nothing may be made that has a number. */
  useSlot(slot: number): void {
    this.#slot = slot
  }

  id(kind: IdKind): string {
    const offset = this.#take(idBytes)
    return mintId(kind, isNumberedKind(kind) ? this.#number(offset) : this.#clock(), this.#pool, offset)
  }

  /** Writes slot and count over the random bits at `offset`, and gives the time they count in. */
  #number(offset: number): number {
    const nowMs = this.#clock()
    this.#numberCount += 1
    if (nowMs > this.#numberMs) {
      this.#numberMs = nowMs
      this.#numberCount = 0
    } else if (this.#numberCount === idsPerSlotAndMs) {
      this.#numberMs += 1
      this.#numberCount = 0
    }
    this.#pool.writeUInt16BE(this.#slot * idsPerSlotAndMs + this.#numberCount, offset)
    return this.#numberMs
  }

  clientSecret(): string {
    return `cs_${this.#text(secretBytes)}`
  }

  /** The clear text of an API key. */
  apiKeySecret(kind: ApiKeyKind): string {
    return `${kind === 'secret' ? 'sk' : 'pk'}_${this.#mode}_${this.#text(secretBytes)}`
  }

  /** What webhooks are signed with: Standard Webhooks wants base64 of 24 to 64 bytes. */
  webhookSecret(): string {
    const start = this.#take(webhookSecretBytes)
    return `whsec_${this.#pool.toString('base64', start, start + webhookSecretBytes)}`
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
