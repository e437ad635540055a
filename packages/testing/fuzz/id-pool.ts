/** Ids of one kind that are kept; newer ones push older ones out, so that related ids meet often enough. */
const idsPerKindMax = 6

/** Of codes, too: `pc_`, the id of the order, the unit and a mac; and of what is numbered. */
const idInText = /\b(?:([a-z]+)_[0-7][0-9a-hjkmnp-tv-z]{25}(?:_\d+_[0-9a-z]{16})?|(whd|evt)_[1-9]\d*)\b/g

/** Ids the server has shown, by prefix, newest last: requests made of them reach further than into "not found". */
export class IdPool {
  readonly #ids = new Map<string, string[]>()
  /** Client secrets by hold. */
  readonly #secrets = new Map<string, string>()

  /** By prefix, of what was pinned last. */
  readonly #pinned = new Map<string, string>()

  readonly #reserved = new Set<string>()

  /** Ids of an answer that must never be taken: of the keys that the requests are sent with. */
  reserve(answer: { readonly text: string }): void {
    for (const [id] of answer.text.matchAll(idInText)) this.#reserved.add(id)
  }

  /** The same as `learn`; and these are the ids to take most often, until others are pinned. */
  pin(answer: { readonly text: string; readonly body: unknown }): void {
    this.learn(answer)
    for (const [id, typed, prefix = typed ?? ''] of answer.text.matchAll(idInText)) this.#pinned.set(prefix, id)
  }

  /** Takes in every id of an answer. */
  learn(answer: { readonly text: string; readonly body: unknown }): void {
    for (const [id, typed, prefix = typed ?? ''] of answer.text.matchAll(idInText)) {
      if (this.#reserved.has(id)) continue
      const others = (this.#ids.get(prefix) ?? []).filter((known) => known !== id)
      this.#ids.set(prefix, [...others, id].slice(-idsPerKindMax))
    }
    const { id, client_secret: secret } = answer.body as { id?: string; client_secret?: string }
    if (id !== undefined && secret !== undefined) this.#secrets.set(id, secret)
  }

  /** One of the ids with `prefix`, or null when there is none; for `index` null the pinned one. */
  pick(prefix: string, index: number | null): string | null {
    if (index === null) return this.#pinned.get(prefix) ?? null
    return this.#ids.get(prefix)?.at(-1 - (index % idsPerKindMax)) ?? this.#ids.get(prefix)?.at(-1) ?? null
  }

  secretOf(holdId: string): string {
    return this.#secrets.get(holdId) ?? ''
  }
}
