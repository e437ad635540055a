import type { Phase } from './phase.ts'

/** How a load went. */
export interface Pace {
  readonly perSecond: number
  readonly elapsedMs: number
  /** It ended because its prepared requests were used up. */
  readonly ranOut: boolean
  readonly violation: string | null
}

export function paceOf({ perSecond, load, violation }: Phase): Pace {
  return { perSecond, elapsedMs: load.elapsedMs, ranOut: load.ranOut, violation }
}

/** Less is not worth another load. */
const restMs = 100

/**
 * Loads that do not count, for `durationMs` in all: another one, with more requests prepared, when those of the first
 * were used up before. `perSecond`: of the fastest, for as many requests the next load should have. `violation`: the first.
 */
export async function warmUp(
  durationMs: number,
  guessPerSecond: number,
  measure: (perSecond: number, durationMs: number) => Promise<Pace>,
): Promise<Pick<Pace, 'perSecond' | 'violation'>> {
  const paces: Pace[] = []
  let prepared = guessPerSecond
  for (let leftMs = durationMs; leftMs >= restMs;) {
    const pace = await measure(prepared, leftMs)
    paces.push(pace)
    leftMs -= pace.elapsedMs
    if (!pace.ranOut) break
    prepared = Math.max(prepared, 2 * pace.perSecond)
  }
  return {
    perSecond: Math.max(...paces.map(({ perSecond }) => perSecond)),
    violation: paces.find(({ violation }) => violation !== null)?.violation ?? null,
  }
}
