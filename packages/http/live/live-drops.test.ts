import { beforeEach, describe, expect, it } from 'vitest'
import { liveHeartbeatMs, liveIntervalMs, liveStreamMaxMs, liveStreamsMax } from '@penstock/domain/limits.ts'
import { LiveDrops } from './live-drops.ts'
import type { CachedAnswer } from '../catalogue.ts'
import type { JsonBytes } from '../route.ts'
import type { WireDrop } from '@penstock/wire/wire.ts'

let nowMs = 0
let seq = 0
let state = 'one'
let live: LiveDrops

/** A catalogue of one drop, whose state is a word. */
const catalogue = {
  get seq() {
    return seq
  },
  find: (id: string): CachedAnswer<WireDrop> | null =>
    id === 'drop_1' ? { bytes: Buffer.from(state) as unknown as JsonBytes<WireDrop>, etag: state } : null,
}

beforeEach(() => {
  nowMs = 1_000_000
  seq = 7
  state = 'one'
  live = new LiveDrops(catalogue, () => nowMs)
})

type Watch = AsyncGenerator<Uint8Array, void, void>

async function take(watch: Watch): Promise<string | null> {
  const { value, done } = await watch.next()
  return done === true ? null : Buffer.from(value ?? []).toString('utf8')
}

/** What `watch` gives once it is woken; `act` wakes it. */
async function takeAfter(watch: Watch, act: () => void): Promise<string | null> {
  const taken = take(watch)
  // The generator has to wait before somebody can wake it.
  await Promise.resolve()
  act()
  return taken
}

function change(word: string): void {
  state = word
  seq += 1
  nowMs += liveIntervalMs
  live.tick()
}

const event = (word: string, id: number): string => `id: ${id}\nevent: drop\ndata: ${word}\n\n`
const yes = (): boolean => true
const watchAll = (max = 100, isAccepted = yes): Watch => live.watch('drop_1', 'publishable', max, isAccepted)

describe('LiveDrops.watch', () => {
  it('begins with the whole drop and goes on with every change', async () => {
    const watch = watchAll()
    expect(await take(watch)).toBe(event('one', 7))
    expect(await takeAfter(watch, () => change('two'))).toBe(event('two', 8))
    expect(await takeAfter(watch, () => change('three'))).toBe(event('three', 9))
  })

  it('gives a slow watcher the newest state and no backlog', async () => {
    const [slow, quick] = [watchAll(), watchAll()]
    expect([await take(slow), await take(quick)]).toEqual([event('one', 7), event('one', 7)])
    for (const word of ['two', 'three', 'four']) await takeAfter(quick, () => change(word))
    expect(await take(slow)).toBe(event('four', 10))
  })

  it('begins with the state of now, whatever the others were told', async () => {
    const early = watchAll()
    await take(early)
    state = 'two'
    seq += 1
    expect(await take(watchAll())).toBe(event('two', 8))
    expect(await takeAfter(early, () => change('three'))).toBe(event('three', 9))
  })

  it('tells of a drop at most once in its interval, and then of the last state', async () => {
    const watch = watchAll()
    await take(watch)
    const told = await takeAfter(watch, () => {
      for (const word of ['a', 'b', 'c']) {
        state = word
        nowMs += liveIntervalMs / 4
        live.tick()
      }
      state = 'd'
      nowMs += liveIntervalMs / 4
      live.tick()
    })
    expect(told).toBe(event('d', 7))
  })

  it('says nothing while nothing changes, but a heartbeat', async () => {
    const watch = watchAll()
    await take(watch)
    const beat = await takeAfter(watch, () => {
      for (let tick = 0; tick < 10; tick++) {
        nowMs += liveHeartbeatMs / 10
        live.tick()
      }
    })
    expect(beat).toBe(':\n\n')
    expect(await takeAfter(watch, () => change('two'))).toBe(event('two', 8))
  })

  it('ends after so many events', async () => {
    const watch = watchAll(2)
    expect([await take(watch), await takeAfter(watch, () => change('two')), await take(watch)]).toEqual([
      event('one', 7),
      event('two', 8),
      null,
    ])
  })

  it('ends after its longest time', async () => {
    const watch = watchAll()
    await take(watch)
    nowMs += liveStreamMaxMs
    expect(await take(watch)).toBeNull()
  })

  it('ends when keys change and its own is accepted no more; others go on', async () => {
    let isAccepted = true
    const [revoked, other] = [watchAll(100, () => isAccepted), watchAll()]
    for (const watch of [revoked, other]) await take(watch)
    isAccepted = false
    const [ended, beat] = [take(revoked), take(other)]
    await Promise.resolve()
    live.keysChanged()
    expect([await ended, await beat]).toEqual([null, ':\n\n'])
    expect(await takeAfter(other, () => change('two'))).toBe(event('two', 8))
  })

  it('says nothing more to a key that has expired', async () => {
    let isAccepted = true
    const watch = watchAll(100, () => isAccepted)
    await take(watch)
    isAccepted = false
    change('two')
    expect(await take(watch)).toBeNull()
  })

  it('ends when the process stops, and none begins then', async () => {
    const watch = watchAll()
    await take(watch)
    expect(await takeAfter(watch, () => live.close())).toBeNull()
    expect(await take(watchAll())).toBeNull()
  })

  it('has nothing of a drop that is not there', async () => {
    expect(await take(live.watch('drop_2', 'secret', 1, yes))).toBeNull()
  })

  it('counts the watchers there are, and no others', async () => {
    const watches = Array.from({ length: liveStreamsMax }, () => watchAll())
    // Never begun: never counted, and nothing to give back.
    expect(live.isFull).toBe(false)
    for (const watch of watches) await take(watch)
    expect(live.isFull).toBe(true)
    await watches[0]?.return()
    expect(live.isFull).toBe(false)
    for (const watch of watches) await watch.return()
    state = 'later'
    expect(await take(watchAll())).toBe(event('later', 7))
  })
})
