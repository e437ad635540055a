/** Marks a free place: hashes are not negative. */
const free = -1

/** Equal shares of the hashes, taken out one at a time; a power of two. */
export const shareCount = 8_192

/**
 * Places at first, a power of two of at least `shareCount`; doubled whenever more than `loadMax` of them are taken. Not
 * more: pairs are taken out share by share, so those that are next are the fullest, 2.7 times the mean in the first round
 * and twice it after that. A part of the table that is full is searched from end to end, by every look-up in it.
 */
const placesMin = 16_384
const loadMax = 0.3

const hashRange = 2 ** 53

/**
 * Pairs of a 53-bit hash and a row number, found by hash and taken out by ranges of it. Hashes may repeat.
 *
 * An open table in two arrays of numbers, 16 bytes a place: the garbage collector has nothing to visit, and a look-up
 * touches one or two cache lines. The highest bits of a hash say where it is looked for first, so that the table is
 * nearly in the order of its hashes and a range of them is a range of places.
 */
export class HashTail {
  #places: number
  #hashes: Float64Array
  #seqs: Float64Array
  #size = 0

  /** With room for `keys` pairs from the start. */
  constructor(keys = 0) {
    this.#places = placesFor(keys)
    this.#hashes = new Float64Array(this.#places).fill(free)
    this.#seqs = new Float64Array(this.#places)
  }

  get size(): number {
    return this.#size
  }

  add(hash: number, seq: number): void {
    if (this.#size >= this.#places * loadMax) this.#grow()
    this.#put(hash, seq)
    this.#size += 1
  }

  /** The place of the first pair with this hash, or -1. */
  first(hash: number): number {
    return this.#look(hash, this.#homeOf(hash))
  }

  /** The next one after `place`, or -1. */
  next(hash: number, place: number): number {
    return this.#look(hash, this.#after(place))
  }

  /** What stands beside the hash at a place that `first` or `next` gave. */
  seqAt(place: number): number {
    return this.#seqs[place] ?? 0
  }

  /** The pairs of one of `shareCount` shares, in the order of their hashes. */
  list(share: number): (readonly [number, number])[] {
    const pairs: (readonly [number, number])[] = []
    this.#visit(share, (hash, seq) => {
      if (shareOf(hash) === share) pairs.push([hash, seq])
    })
    return pairs.toSorted(([a], [b]) => a - b)
  }

  /** Takes the pairs of one share out. */
  remove(share: number): void {
    const others: (readonly [number, number])[] = []
    this.#visit(share, (hash, seq, place) => {
      this.#hashes[place] = free
      if (shareOf(hash) === share) this.#size -= 1
      else others.push([hash, seq])
    })
    // A neighbour must be found from its own place again, without a gap on the way.
    for (const [hash, seq] of others) this.#put(hash, seq)
  }

  /** Every taken place of a share and those that follow without a gap: where its pairs may stand. */
  #visit(share: number, onPair: (hash: number, seq: number, place: number) => void): void {
    const width = this.#places / shareCount
    let place = share * width
    for (let seen = 0; seen < this.#places; seen++) {
      const hash = this.#hashes[place] ?? free
      if (hash !== free) onPair(hash, this.seqAt(place), place)
      else if (seen >= width) return
      place = this.#after(place)
    }
  }

  #look(hash: number, from: number): number {
    for (let place = from; ; place = this.#after(place)) {
      const stored = this.#hashes[place]
      if (stored === hash) return place
      if (stored === free) return -1
    }
  }

  #put(hash: number, seq: number): void {
    let place = this.#homeOf(hash)
    while (this.#hashes[place] !== free) place = this.#after(place)
    this.#hashes[place] = hash
    this.#seqs[place] = seq
  }

  #homeOf(hash: number): number {
    return Math.floor(hash / (hashRange / this.#places))
  }

  #after(place: number): number {
    return (place + 1) & (this.#places - 1)
  }

  #grow(): void {
    const [hashes, seqs] = [this.#hashes, this.#seqs]
    this.#places *= 2
    this.#hashes = new Float64Array(this.#places).fill(free)
    this.#seqs = new Float64Array(this.#places)
    // Between two commits. The iterator of the array takes twice as long: 36 ms instead of 19 for a million places.
    for (let place = 0; place < hashes.length; place++) {
      const hash = hashes[place] ?? free
      if (hash !== free) this.#put(hash, seqs[place] ?? 0)
    }
  }
}

/** Memory of a tail with room for `keys` pairs, in bytes. */
export function tailBytesOf(keys: number): number {
  return placesFor(keys) * 2 * Float64Array.BYTES_PER_ELEMENT
}

function placesFor(keys: number): number {
  return Math.max(placesMin, 2 ** Math.ceil(Math.log2(keys / loadMax)))
}

function shareOf(hash: number): number {
  return Math.floor(hash / (hashRange / shareCount))
}
