/** Places of a full set for each hash in it: then one look-up in four of what is not there asks the index in vain. */
const placesPerHashMin = 4

/** Places of a new set for each hash in it, at least. */
const placesPerHash = 8

/** 256 KiB to 128 MiB. */
const placesMin = 2 ** 21
const placesMax = 2 ** 30

const hashRange = 2 ** 53

/** A set as it goes from one thread to another. */
export interface FilledBits {
  readonly bytes: Uint8Array
  readonly taken: number
}

/**
 * A set of 53-bit hashes that may say yes to a hash that is not in it, and never says no to one that is: one bit for each
 * of equal ranges of hashes. Hashes that come in their order are neighbours here, too.
 */
export class HashBits {
  readonly bytes: Uint8Array
  readonly #rangePerPlace: number
  #taken: number

  /** What another thread filled, or an empty set with room for `count` hashes and as many again. */
  constructor(from: FilledBits | { readonly count: number }) {
    this.bytes = 'bytes' in from ? from.bytes : new Uint8Array(bitsBytesOf(from.count))
    this.#taken = 'bytes' in from ? from.taken : 0
    this.#rangePerPlace = hashRange / (this.bytes.length * 8)
  }

  /** Bits that are set. */
  get taken(): number {
    return this.#taken
  }

  /** Whether a larger set would say no more often. */
  get isFull(): boolean {
    const places = this.bytes.length * 8
    return places < placesMax && this.#taken * placesPerHashMin > places
  }

  add(hash: number): void {
    const place = this.#placeOf(hash)
    const bit = 1 << (place % 8)
    const byte = this.bytes[place >>> 3] ?? 0
    if ((byte & bit) !== 0) return
    this.bytes[place >>> 3] = byte | bit
    this.#taken += 1
  }

  mayHave(hash: number): boolean {
    const place = this.#placeOf(hash)
    return ((this.bytes[place >>> 3] ?? 0) & (1 << (place % 8))) !== 0
  }

  #placeOf(hash: number): number {
    return Math.floor(hash / this.#rangePerPlace)
  }
}

/** Memory of a set made for `count` hashes, in bytes. */
export function bitsBytesOf(count: number): number {
  return Math.min(placesMax, Math.max(placesMin, 2 ** Math.ceil(Math.log2(count * placesPerHash)))) / 8
}
