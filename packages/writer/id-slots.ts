import { idSlots } from '@penstock/domain/limits.ts'

/**
 * Gives every connected process a slot, by which the numbers of the ids it makes differ from all others'
 * (domain/id-number.ts). Writers take turns with two halves, so that a process which has not yet heard of a new writer
 * shares its slot with none of the new one's. A slot that came back is given again as late as possible.
 */
export class IdSlots {
  readonly #first: number
  readonly #taken = new Set<number>()
  #given = 0

  constructor(epoch: number) {
    this.#first = (epoch % 2) * slotsPerWriter
  }

  /** Null: all are taken. */
  take(): number | null {
    if (this.#taken.size === slotsPerWriter) return null
    for (;;) {
      const slot = this.#first + (this.#given++ % slotsPerWriter)
      if (this.#taken.has(slot)) continue
      this.#taken.add(slot)
      return slot
    }
  }

  free(slot: number): void {
    this.#taken.delete(slot)
  }
}

const slotsPerWriter = idSlots / 2
