import { setTimeout as sleep } from 'node:timers/promises'
import { Own } from './generators/own/own.ts'
import { singleStep } from './generators/plan.ts'
import { prepareHolds } from './prepare-holds.ts'
import { payHolds } from './steps.ts'
import type { LoadResult } from './generators/generator.ts'
import type { Lab } from './lab.ts'

export const stallMs = 500
const perSecond = 500
const durationMs = 2_000
const stallAtMs = 700
/** Fewer than the requests that come during the stall: those without a connection must count as well. */
const connections = 32

/**
 * Payments at a constant rate while the writer is stopped for 500 ms. A quarter of them come in that time, so an honest
 * generator must show the stall in p99.9; a closed loop would have 32 slow requests, and few others.
 */
export async function measureStall(lab: Lab, signal: AbortSignal): Promise<LoadResult> {
  const holds = await prepareHolds(lab.sale, (perSecond * durationMs) / 1_000, () => undefined, signal)
  const { writer } = lab.box.pids
  if (writer === null) throw new Error('there is no writer to stop')
  const plan = singleStep(payHolds(lab.sale, holds), null)
  let isStarted = (): void => undefined
  const started = new Promise<void>((resolve) => (isStarted = resolve))
  const load = new Own(1, perSecond).run(
    { url: lab.box.url, plan, connections, durationMs },
    { onStarted: () => isStarted(), signal },
  )
  // Awaited below; an interrupt during the sleeps must not count as unhandled until then.
  load.catch(() => undefined)
  await Promise.race([started, load])
  await sleep(stallAtMs, undefined, { signal })
  process.kill(writer, 'SIGSTOP')
  try {
    await sleep(stallMs, undefined, { signal })
  } finally {
    process.kill(writer, 'SIGCONT')
  }
  return load
}
