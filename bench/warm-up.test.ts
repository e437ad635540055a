import { expect, test } from 'vitest'
import { warmUp } from './warm-up.ts'

/** A server that answers so many requests a second. */
function serve(perSecond: number) {
  const loads: { requests: number; durationMs: number }[] = []
  const measure = (prepared: number, durationMs: number) => {
    const requests = Math.ceil((prepared * durationMs) / 1_000)
    loads.push({ requests, durationMs })
    const neededMs = (1_000 * requests) / perSecond
    const violation = loads.length === 2 ? 'a row too few' : null
    return Promise.resolve({
      perSecond,
      elapsedMs: Math.min(neededMs, durationMs),
      ranOut: neededMs < durationMs,
      violation,
    })
  }
  return { loads, measure }
}

test('warmUp is one load when there were requests enough', async () => {
  const { loads, measure } = serve(2_000)
  expect(await warmUp(1_000, 5_000, measure)).toEqual({ perSecond: 2_000, violation: null })
  expect(loads).toEqual([{ requests: 5_000, durationMs: 1_000 }])
})

test('warmUp goes on, with more requests, until its time is over', async () => {
  const { loads, measure } = serve(25_000)
  expect(await warmUp(1_000, 5_000, measure)).toEqual({ perSecond: 25_000, violation: 'a row too few' })
  expect(loads).toEqual([
    { requests: 5_000, durationMs: 1_000 },
    { requests: 40_000, durationMs: 800 },
  ])
})
