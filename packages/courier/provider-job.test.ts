import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { providerJobWindowMax } from '@penstock/domain/limits.ts'
import { ProviderError } from '@penstock/providers/provider.ts'
import { NotCommitted } from './commit.ts'
import { ProviderJob } from './provider-job.ts'

/** A job whose attempts end when the test says so, by a clock that the test moves. */
function open(concurrencyMax = 2) {
  const underway = new Map<string, PromiseWithResolvers<void>>()
  const begun: string[] = []
  const lines: string[] = []
  const state = { nowMs: 1_000 }
  const job = new ProviderJob<string>({
    name: 'refunds at stripe',
    concurrencyMax,
    attempt: (item, signal) => {
      begun.push(item)
      const ended = Promise.withResolvers<void>()
      underway.set(item, ended)
      signal.addEventListener('abort', () => ended.reject(new ProviderError('timeout', 'aborted')))
      return ended.promise
    },
    retryDelaysMs: [100, 500],
    clock: () => state.nowMs,
    random: () => 0,
    log: (line) => lines.push(line),
  })
  return {
    job,
    lines,
    state,
    begunSince: () => begun.splice(0),
    succeed: async (item: string) => {
      underway.get(item)?.resolve()
      await turn()
    },
    fail: async (item: string, error: Error) => {
      underway.get(item)?.reject(error)
      await turn()
    },
  }
}

const down = new ProviderError('unreachable', 'Stripe could not be reached.')

it('ProviderJob does so many at once, each once, and the next when one has ended', async () => {
  const { job, begunSince, succeed } = open()
  for (const id of ['a', 'b', 'c', 'a']) expect(job.offer(id, id)).toBe(true)
  job.tick()
  job.tick()
  expect(begunSince()).toEqual(['a', 'b'])
  await succeed('b')
  expect(begunSince()).toEqual(['c'])
  await succeed('c')
  // It is forgotten: who offers it again wants it again.
  job.offer('c', 'c')
  job.tick()
  expect(begunSince()).toEqual(['c'])
})

it.each([down, new NotCommitted('the writer did not answer in time')])(
  'ProviderJob waits longer after each failure, and begins anew after a success: %s',
  async (failure) => {
    const { job, state, begunSince, fail, succeed, lines } = open()
    job.offer('a', 'a')
    for (const waitMs of [100, 500, 500]) {
      job.tick()
      expect(begunSince()).toEqual(['a'])
      await fail('a', failure)
      state.nowMs += waitMs - 1
      job.tick()
      expect(begunSince()).toEqual([])
      state.nowMs += 1
    }
    job.tick()
    await succeed('a')
    expect(lines).toEqual([
      `refunds at stripe: trying again later: ${failure.message}`,
      'refunds at stripe: working again',
    ])
  },
)

it('ProviderJob goes on with others while one waits', async () => {
  const { job, begunSince, fail } = open(1)
  job.offer('a', 'a')
  job.offer('b', 'b')
  job.tick()
  await fail('a', down)
  expect(begunSince()).toEqual(['a', 'b'])
})

it('ProviderJob lets go of what was refused, and says so', async () => {
  const { job, begunSince, fail, lines } = open()
  job.offer('a', 'a')
  job.tick()
  await fail('a', new ProviderError('misconfigured', 'STRIPE_SECRET_KEY is not set.'))
  job.tick()
  expect(begunSince()).toEqual(['a'])
  expect(lines).toEqual(['refunds at stripe: a has to wait: STRIPE_SECRET_KEY is not set.'])
})

it('ProviderJob has a bound, under which what it has counts once', () => {
  const { job } = open()
  for (let index = 0; index < providerJobWindowMax; index++) expect(job.offer(`${index}`, '')).toBe(true)
  expect(job.offer('one more', '')).toBe(false)
  expect(job.offer('0', '')).toBe(true)
})

it('ProviderJob stop ends what runs, quietly, and starts nothing more', async () => {
  const { job, begunSince, lines } = open()
  job.offer('a', 'a')
  job.tick()
  await job.stop()
  job.offer('b', 'b')
  job.tick()
  expect(begunSince()).toEqual(['a'])
  expect(lines).toEqual([])
})
