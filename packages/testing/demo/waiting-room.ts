/** Buyers who were refused and wait for units that come back, in the order they came. */
export class WaitingRoom {
  readonly #line: ((admitted: boolean) => void)[] = []
  #isClosed = false

  get size(): number {
    return this.#line.length
  }

  /** True: units came back, try now. False: the sale is over. */
  wait(): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false)
    return new Promise((resolve) => {
      this.#line.push(resolve)
    })
  }

  admit(count: number): void {
    for (const resolve of this.#line.splice(0, count)) resolve(true)
  }

  close(): void {
    this.#isClosed = true
    for (const resolve of this.#line.splice(0)) resolve(false)
  }
}
