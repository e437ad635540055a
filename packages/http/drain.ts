/**
 * How long a closing transport leaves idle connections open, so that a request that is already on its way is
 * answered (and told to close) instead of reset. Many round trips in one data centre, one round trip across the sea.
 */
const IDLE_GRACE_MS = 150

/** Counts what a transport still has open, and tells a closing transport when it may cut what is left. */
export class Drain {
  #isDraining = false
  #isGraceOver = false
  #requests = 0
  #connections = 0
  #finish: (() => void) | undefined

  /** From here on every answer closes its connection. */
  get isDraining(): boolean {
    return this.#isDraining
  }

  /** A request that is not answered yet. Those answered within their handler need not be counted. */
  requestStarted(): void {
    this.#requests++
  }

  requestEnded(): void {
    this.#requests--
    this.#finishIfDone()
  }

  connectionOpened(): void {
    this.#connections++
  }

  connectionClosed(): void {
    this.#connections--
    this.#finishIfDone()
  }

  /**
   * Resolves when nothing is connected, or when nothing is in flight and idle clients had their moment, or after
   * `drainMs`. To be called once, when no new connection is accepted any more.
   */
  async wait(drainMs: number): Promise<void> {
    this.#isDraining = true
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve
    })
    const grace = setTimeout(() => this.#endGrace(), Math.min(IDLE_GRACE_MS, drainMs))
    const deadline = setTimeout(() => this.#finish?.(), drainMs)
    this.#finishIfDone()
    await finished
    clearTimeout(grace)
    clearTimeout(deadline)
  }

  #endGrace(): void {
    this.#isGraceOver = true
    this.#finishIfDone()
  }

  #finishIfDone(): void {
    const mayCut = this.#connections === 0 || (this.#isGraceOver && this.#requests === 0)
    if (mayCut) this.#finish?.()
  }
}
