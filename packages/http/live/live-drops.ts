import { liveHeartbeatMs, liveIntervalMs, liveStreamMaxMs, liveStreamsMax } from '@penstock/domain/limits.ts'
import type { CachedAnswer, Catalogue } from '../catalogue.ts'
import type { Audience, WireDrop } from '@penstock/wire/wire.ts'

/** Everybody who watches one drop as the same audience. */
interface Channel {
  readonly dropId: string
  readonly audience: Audience
  watchers: number
  /** The newest that was told, once for all of them. */
  event: Uint8Array
  /** Of the state that was told last. */
  etag: string
  /** Counts events. */
  version: number
  toldMs: number
  beatMs: number
  /** Resolves with the next event or heartbeat. */
  next: PromiseWithResolvers<void>
}

const heartbeat = Buffer.from(':\n\n')
const eventEnd = Buffer.from('\n\n')
const nothing = new Uint8Array()

/**
 * Live pages of drops as server-sent events. Every event is the whole drop, so a watcher who is slow or was away misses
 * nothing that is still true: `tick` makes the newest event of a drop, and each watcher takes it when its connection has
 * taken the one before. There is no queue.
 */
export class LiveDrops {
  readonly #catalogue: Pick<Catalogue, 'find' | 'seq'>
  readonly #clock: () => number
  readonly #channels = new Map<string, Channel>()
  #watchers = 0
  #isClosed = false

  constructor(catalogue: Pick<Catalogue, 'find' | 'seq'>, clock: () => number) {
    this.#catalogue = catalogue
    this.#clock = clock
  }

  get isFull(): boolean {
    return this.#watchers >= liveStreamsMax
  }

  /**
   * The drop now and whenever something of it changed, at most once in `liveIntervalMs`; heartbeats between. Ends after
   * `eventsMax` events, after `liveStreamMaxMs`, when the process stops, and instead of the next event or heartbeat once
   * the watcher's key `isAccepted` no more.
   */
  async *watch(
    dropId: string,
    audience: Audience,
    eventsMax: number,
    isAccepted: () => boolean,
  ): AsyncGenerator<Uint8Array, void, void> {
    const now = this.#catalogue.find(dropId, audience)
    if (now === null || this.#isClosed) return
    const channel = this.#enter(dropId, audience, now)
    try {
      const endMs = this.#clock() + liveStreamMaxMs
      let seen = channel.version
      // The state of this moment, which may be newer than what the others were told.
      yield this.#render(now)
      const goesOn = (): boolean => !this.#isClosed && this.#clock() < endMs && isAccepted()
      for (let events = 1; events < eventsMax && goesOn();) {
        const { next, version, event } = channel
        if (version !== seen) {
          seen = version
          events += 1
          yield event
        } else {
          await next.promise
          if (channel.version === seen && goesOn()) yield heartbeat
        }
      }
    } finally {
      this.#leave(channel)
    }
  }

  /** Tells of what changed, also by the clock alone. Called every `liveTickMs`. */
  tick(): void {
    const nowMs = this.#clock()
    for (const channel of this.#channels.values()) {
      const answer =
        nowMs - channel.toldMs < liveIntervalMs ? null : this.#catalogue.find(channel.dropId, channel.audience)
      const hasChanged = answer !== null && answer.etag !== channel.etag
      if (hasChanged) this.#tell(channel, answer)
      if (hasChanged || nowMs - channel.beatMs >= liveHeartbeatMs) this.#wake(channel)
    }
  }

  /** Ends the streams whose keys are accepted no more; the others get a heartbeat. */
  keysChanged(): void {
    for (const channel of this.#channels.values()) this.#wake(channel)
  }

  /** Ends every stream. */
  close(): void {
    this.#isClosed = true
    for (const channel of this.#channels.values()) this.#wake(channel)
  }

  #enter(dropId: string, audience: Audience, { etag }: CachedAnswer<WireDrop>): Channel {
    const key = `${audience} ${dropId}`
    const nowMs = this.#clock()
    const channel: Channel = this.#channels.get(key) ?? {
      dropId,
      audience,
      watchers: 0,
      event: nothing,
      etag,
      version: 0,
      toldMs: nowMs,
      beatMs: nowMs,
      next: Promise.withResolvers(),
    }
    this.#channels.set(key, channel)
    channel.watchers += 1
    this.#watchers += 1
    return channel
  }

  #leave(channel: Channel): void {
    channel.watchers -= 1
    this.#watchers -= 1
    if (channel.watchers === 0) this.#channels.delete(`${channel.audience} ${channel.dropId}`)
  }

  #tell(channel: Channel, answer: CachedAnswer<WireDrop>): void {
    channel.event = this.#render(answer)
    channel.etag = answer.etag
    channel.version += 1
    channel.toldMs = this.#clock()
  }

  #render({ bytes }: CachedAnswer<WireDrop>): Uint8Array {
    return Buffer.concat([Buffer.from(`id: ${this.#catalogue.seq}\nevent: drop\ndata: `), bytes, eventEnd])
  }

  #wake(channel: Channel): void {
    const { next } = channel
    channel.next = Promise.withResolvers()
    channel.beatMs = this.#clock()
    next.resolve()
  }
}
