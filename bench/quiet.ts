import { setTimeout as sleep } from 'node:timers/promises'
import { busyCores } from './cpu.ts'

const lookMs = 1_000
const quietCores = 0.1
/** Looks in a row that must be quiet. */
const quietLooks = 2

/** Waits until nobody else uses the machine, at most `maxMs`. At once where there is no /proc. */
export async function waitForQuiet(maxMs: number, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + maxMs
  let looks = 0
  while (looks < quietLooks && performance.now() < deadlineMs) {
    const busySince = busyCores()
    await sleep(lookMs, undefined, { signal })
    const busy = busySince()
    if (busy === null) return
    looks = busy < quietCores ? looks + 1 : 0
  }
}
