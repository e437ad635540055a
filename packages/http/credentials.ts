import { hash } from 'node:crypto'
import { credentialCacheEntriesMax, credentialCacheMs, secretLengthMax } from '@penstock/domain/limits.ts'
import type { Credential, Queries } from '@penstock/store/queries.ts'

/** Schemes are compared without case (RFC 9110 section 11.1). */
const scheme = 'bearer '

interface Known {
  readonly credential: Credential
  readonly untilMs: number
}

/**
 * Who calls, by `Authorization: Bearer KEY`. A key is compared as its SHA-256, so the time a look-up takes says
 * nothing about a stored key. Keys that were accepted are remembered for `credentialCacheMs`; others never are.
 */
export class Credentials {
  readonly #queries: Pick<Queries, 'findCredential'>
  readonly #clock: () => number
  readonly #known = new Map<string, Known>()

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
    if (credential === null) return null
    if (this.#known.size >= credentialCacheEntriesMax) this.#known.clear()
    this.#known.set(authorization, { credential, untilMs: this.#clock() + credentialCacheMs })
    return credential
  }
}
