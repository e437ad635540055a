import { hash } from 'node:crypto'
import { isExpired } from '@penstock/domain/api-key.ts'
import { credentialCacheEntriesMax, credentialCacheMs, secretLengthMax } from '@penstock/domain/limits.ts'
import type { ApiKeyUse } from '@penstock/domain/api-key.ts'
import type { Credential, Queries } from '@penstock/store/queries.ts'

/** Schemes are compared without case (RFC 9110 section 11.1). */
const scheme = 'bearer '

interface Known {
  readonly credential: Credential
  readonly untilMs: number
}

/**
 * Who calls, by `Authorization: Bearer KEY`. A key is compared as its SHA-256, so the time a look-up takes says
 * nothing about a stored key. Keys that were accepted are remembered for `credentialCacheMs`, until they expire or until
 * `forget`, whichever comes first; others never are.
 */
export class Credentials {
  readonly #queries: Pick<Queries, 'findCredential'>
  readonly #clock: () => number
  readonly #known = new Map<string, Known>()
  /** When keys were last looked up, by id: at most `credentialCacheEntriesMax` since the last report. */
  readonly #uses = new Map<string, number>()

  constructor(queries: Pick<Queries, 'findCredential'>, clock: () => number) {
    this.#queries = queries
    this.#clock = clock
  }

  /** Null: no key, a malformed one, or one that is not accepted. */
  find(authorization: string): Credential | null {
    const known = this.#known.get(authorization)
    if (known !== undefined && this.#clock() < known.untilMs) return known.credential
    if (authorization.slice(0, scheme.length).toLowerCase() !== scheme) return null
    const key = authorization.slice(scheme.length)
    if (key.length > secretLengthMax) return null
    const credential = this.#queries.findCredential(hash('sha256', key))
    const nowMs = this.#clock()
    if (credential === null || isExpired(credential, nowMs)) return null
    if (this.#known.size >= credentialCacheEntriesMax) this.#known.clear()
    const untilMs = Math.min(nowMs + credentialCacheMs, credential.expiresMs ?? Infinity)
    this.#known.set(authorization, { credential, untilMs })
    if (this.#uses.size < credentialCacheEntriesMax) this.#uses.set(credential.id, nowMs)
    return credential
  }

  /** Looks every key up again at its next use: keys changed, or a change may have been missed. */
  forget(): void {
    this.#known.clear()
  }

  /**
   * The keys used since the last call and when, to within `credentialCacheMs`: a key that is remembered is not noted
   * again.
   */
  takeUses(): ApiKeyUse[] {
    const uses = [...this.#uses].map(([apiKeyId, usedMs]) => ({ apiKeyId, usedMs }))
    this.#uses.clear()
    return uses
  }
}
