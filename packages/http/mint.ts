import { randomFillSync } from 'node:crypto'
import { mintId } from '@penstock/domain/id.ts'
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
  readonly #pool = Buffer.allocUnsafe(poolBytes)
  #used = poolBytes

  constructor(clock: () => number) {
    this.#clock = clock
  }

  id(kind: IdKind): string {
    return mintId(kind, this.#clock(), this.#pool, this.#take(idBytes))
  }

  clientSecret(): string {
    return `cs_${this.#text(secretBytes)}`
  }

  /** The clear text of an API key. Live keys come with the live mode. */
  apiKeySecret(kind: ApiKeyKind): string {
    return `${kind === 'secret' ? 'sk' : 'pk'}_test_${this.#text(secretBytes)}`
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
