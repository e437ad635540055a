import { hash } from 'node:crypto'
import { catalogueCacheEntriesMax, minSeqWaitersMax } from '@penstock/domain/limits.ts'
import { CatalogueDrop } from './catalogue-drop.ts'
import { toBytes } from './route.ts'
import { toSeconds } from '@penstock/wire/wire.ts'
import type { Drop, DropStatus } from '@penstock/domain/drop.ts'
import type { CommitMessage } from '@penstock/protocol/messages.ts'
import type { Offer } from '@penstock/domain/hold-refusal.ts'
import type { DropWithSkus, Page, Queries } from '@penstock/store/queries.ts'
import type { Json, JsonBytes } from './route.ts'
import type { CreatedRange } from './page.ts'
import type { Audience, WireDrop, WireList } from '@penstock/wire/wire.ts'

/** An answer ready to send. The tag covers everything but `server_time`, so it changes only when something did. */
export interface CachedAnswer<Value> {
  readonly bytes: JsonBytes<Value>
  readonly etag: string
}

export interface DropFilter extends CreatedRange {
  readonly status: DropStatus | null
  /** Lower case: somewhere in the name or the id. Empty: anything. */
  readonly search: string
  readonly page: Page
}

interface Waiter {
  readonly seq: number
  readonly deadlineMs: number
  readonly onSeen: (seen: boolean) => void
}

/**
 * All drops of the box, in memory, kept fresh by the commits the writer pushes: answers come from bytes that are
 * rendered again only after a change or when the second of `server_time` moves. Also knows the last commit this
 * process has seen (`seq`), which is what `Penstock-Min-Seq` waits for.
 */
export class Catalogue {
  readonly #queries: Pick<Queries, 'listDrops'>
  readonly #clock: () => number
  /** Oldest first: ids sort by the time they were made. */
  #drops: CatalogueDrop[] = []
  readonly #byId = new Map<string, CatalogueDrop>()
  readonly #bySku = new Map<string, CatalogueDrop>()
  readonly #answers = new Map<string, CachedAnswer<unknown>>()
  #answersSecond = 0
  #version = 0
  #seq = 0
  #waiters: Waiter[] = []

  constructor(queries: Pick<Queries, 'listDrops'>, clock: () => number) {
    this.#queries = queries
    this.#clock = clock
  }

  get seq(): number {
    return this.#seq
  }

  /** All of them, oldest first. */
  get drops(): readonly CatalogueDrop[] {
    return this.#drops
  }

  /** Another whenever `drops` or anything of them is. */
  get version(): number {
    return this.#version
  }

  /** The drop as it was at commit `seq`. */
  offer(dropId: string): Offer | undefined {
    return this.#byId.get(dropId)
  }

  /** Reads everything again: at start and after every reconnect, since commits may have been missed. */
  reload(): void {
    const snapshot = this.#queries.listDrops()
    this.#byId.clear()
    this.#bySku.clear()
    for (const row of snapshot.drops) this.#put(row)
    this.#sort()
    this.#advance(snapshot.seq)
  }

  /** Takes in one commit of the writer. Nothing new in it when a reload came after it. */
  apply(commit: Pick<CommitMessage, 'seq' | 'skus' | 'dropIds'>): void {
    if (commit.seq <= this.#seq) return
    // One snapshot of everything: a single drop would be read newer than this commit, and then older counters would
    // overwrite it. Sellers change drops seldom.
    if (commit.dropIds.length > 0) return this.reload()
    for (const counters of commit.skus) this.#bySku.get(counters.skuId)?.setCounters(counters)
    if (commit.skus.length > 0) this.#changed()
    this.#advance(commit.seq)
  }

  /** The answer `list` gave to this query a moment ago, if it still holds. */
  recall(query: string, audience: Audience): CachedAnswer<WireList<WireDrop>> | undefined {
    return this.#fresh(`${audience}?${query}`)
  }

  /** Drops newest first. `query` is what the filter was read from: equal queries, equal answers. */
  list(query: string, audience: Audience, filter: DropFilter): CachedAnswer<WireList<WireDrop>> {
    return this.#keep(`${audience}?${query}`, this.#listJson(audience, filter))
  }

  /** Null when there is no such drop, or none this audience may see. */
  find(id: string, audience: Audience): CachedAnswer<WireDrop> | null {
    const key = `${audience} ${id}`
    const cached = this.#fresh<WireDrop>(key)
    if (cached !== undefined) return cached
    const drop = this.#byId.get(id)
    const status = drop?.status(this.#clock())
    if (drop === undefined || status === undefined || !isVisible(status, audience)) return null
    return this.#keep(key, (serverTime) => drop.json(status, serverTime))
  }

  /**
   * Calls back with true once commit `seq` was seen, at once when it was; with false when `deadlineMs` came first
   * (`expireWaiters` looks) or when too many wait already.
   */
  whenSeen(seq: number, deadlineMs: number, onSeen: (seen: boolean) => void): void {
    if (this.#seq >= seq) return onSeen(true)
    if (this.#waiters.length >= minSeqWaitersMax) return onSeen(false)
    this.#waiters.push({ seq, deadlineMs, onSeen })
  }

  expireWaiters(nowMs: number): void {
    this.#settleWaiters((waiter) => waiter.deadlineMs <= nowMs, false)
  }

  #put(row: DropWithSkus): void {
    const drop = new CatalogueDrop(row)
    this.#byId.set(row.drop.id, drop)
    for (const skuId of drop.skuIds) this.#bySku.set(skuId, drop)
  }

  #sort(): void {
    this.#drops = [...this.#byId.values()].toSorted((a, b) => (a.drop.id < b.drop.id ? -1 : 1))
    this.#changed()
  }

  #changed(): void {
    this.#version += 1
    this.#answers.clear()
  }

  #advance(seq: number): void {
    this.#seq = Math.max(this.#seq, seq)
    this.#settleWaiters((waiter) => waiter.seq <= this.#seq, true)
  }

  #settleWaiters(isDue: (waiter: Waiter) => boolean, seen: boolean): void {
    if (this.#waiters.length === 0) return
    const due = this.#waiters.filter(isDue)
    this.#waiters = this.#waiters.filter((waiter) => !isDue(waiter))
    for (const waiter of due) waiter.onSeen(seen)
  }

  #listJson(audience: Audience, filter: DropFilter): (serverTime: number) => Json<WireList<WireDrop>> {
    const nowMs = this.#clock()
    const matching = this.#drops
      .map((drop) => ({ drop, status: drop.status(nowMs) }))
      .filter((row) => isVisible(row.status, audience) && isWanted(row.drop.drop, row.status, filter))
    const { rows, hasMore } = takePage(matching.toReversed(), filter.page, (row) => row.drop.drop.id)
    return (serverTime) => {
      const data = rows.map((row) => row.drop.json(row.status, serverTime)).join(',')
      return `{"object":"list","data":[${data}],"has_more":${hasMore}}` as Json<WireList<WireDrop>>
    }
  }

  /** What was kept under `key`, which says what it is. */
  #fresh<Value>(key: string): CachedAnswer<Value> | undefined {
    const second = toSeconds(this.#clock())
    if (second !== this.#answersSecond) {
      this.#answersSecond = second
      this.#answers.clear()
    }
    return this.#answers.get(key) as CachedAnswer<Value> | undefined
  }

  #keep<Value>(key: string, json: (serverTime: number) => Json<Value>): CachedAnswer<Value> {
    const answer = {
      bytes: toBytes(json(this.#answersSecond)),
      etag: `W/"${hash('sha1', json(0), 'base64url')}"`,
    }
    if (this.#answers.size >= catalogueCacheEntriesMax) this.#answers.clear()
    this.#answers.set(key, answer)
    return answer
  }
}

/** Drafts are the seller's own. */
function isVisible(status: DropStatus, audience: Audience): boolean {
  return audience === 'secret' || status !== 'draft'
}

function isWanted(drop: Drop, is: DropStatus, filter: DropFilter): boolean {
  const { status, search, createdFromMs, createdBeforeMs } = filter
  if (status !== null && is !== status) return false
  if (createdFromMs !== null && drop.createdMs < createdFromMs) return false
  if (createdBeforeMs !== null && drop.createdMs >= createdBeforeMs) return false
  return search === '' || drop.name.toLowerCase().includes(search) || drop.id.includes(search)
}

/** One page of `rows`, which are newest first. */
function takePage<Row>(
  rows: readonly Row[],
  { limit, startingAfter, endingBefore }: Page,
  idOf: (row: Row) => string,
): { rows: readonly Row[]; hasMore: boolean } {
  if (startingAfter !== null) {
    const older = rows.filter((row) => idOf(row) < startingAfter)
    return { rows: older.slice(0, limit), hasMore: older.length > limit }
  }
  if (endingBefore !== null) {
    const newer = rows.filter((row) => idOf(row) > endingBefore)
    return { rows: newer.slice(-limit), hasMore: newer.length > limit }
  }
  return { rows: rows.slice(0, limit), hasMore: rows.length > limit }
}
