import { Own } from '../generators/own/own.ts'
import { singleStep } from '../generators/plan.ts'
import { measurePhase } from '../phase.ts'
import { prepareHolds } from '../prepare-holds.ts'
import { waitForQuiet } from '../quiet.ts'
import { empty } from '../scenarios/empty.ts'
import { mixedPaymentEvery, mixedPlan } from '../scenarios/mix.ts'
import { payHolds } from '../steps.ts'
import { rungStatus } from './rules.ts'
import type { RequestPlan } from '../generators/plan.ts'
import type { Lab } from '../lab.ts'
import type { Phase } from '../phase.ts'
import type { LadderName, LadderOptions } from './options.ts'

/** At the rate of the rung, but no more than a box that has just started can answer. */
const warmUp = { perSecondMax: 8_000, durationMs: 2_000 } as const
const calibrationMs = 2_000

export interface ClimbDeps {
  readonly options: LadderOptions
  readonly openLab: () => Promise<Lab>
  readonly signal: AbortSignal
  readonly onStatus: (status: () => string) => void
}

/** One rung, once. */
export interface Rung {
  readonly ladder: LadderName
  readonly target: number
  readonly phase: Phase
}

/** A machine that was busy for a moment says nothing about the generator. */
const calibrationTries = 3

/**
 * Which rungs the generator can offer: against servers that do nothing, on the same cores, and by the rules of the ladder,
 * in one of three tries.
 */
export async function findOffered({ options, openLab, signal, onStatus }: ClimbDeps): Promise<Set<number>> {
  const offered = new Set<number>()
  const lab = await openLab()
  try {
    for (const target of options.rungs) {
      for (let tries = 0; tries < calibrationTries && !offered.has(target); tries++) {
        onStatus(() => `what the generator can offer: ${target.toLocaleString('en-US')}/s to an empty server`)
        const plan = await empty.prepare(lab, {
          requestsMax: 0,
          connections: options.connections,
          onProgress: () => undefined,
          signal,
        })
        const { load } = await measurePhase({
          lab,
          scenario: empty.name,
          server: 'empty',
          run: 0,
          plan,
          generator: new Own(options.workers, target),
          connections: options.connections,
          durationMs: calibrationMs,
          signal,
          onMeasuring: () => undefined,
        })
        const result = {
          target,
          actual: load.schedule?.actualPerSecond ?? 0,
          success: load.ok / (load.schedule?.planned ?? 0),
          p99Us: load.latencyUs.p99,
        }
        if (rungStatus(result, true) === 'PASS') offered.add(target)
      }
    }
    return offered
  } finally {
    await lab.close()
  }
}

/** One rung on a box of its own. */
export async function climb(deps: ClimbDeps, ladder: LadderName, target: number, run: number): Promise<Rung> {
  const { options, openLab, signal, onStatus } = deps
  const name = `run ${run} of ${options.runs}: ${ladder}, ${target.toLocaleString('en-US')}/s`
  signal.throwIfAborted()
  onStatus(() => `${name}: starting a box`)
  const lab = await openLab()
  try {
    const onHolds = (done: number): void => onStatus(() => `${name}: preparing holds, ${done.toLocaleString('en-US')}`)
    const measure = async (perSecond: number, durationMs: number, isWarmUp: boolean): Promise<Phase> => {
      // Before the requests are made: signatures of webhooks age.
      if (!isWarmUp) await waitForQuiet(options.quietMs, signal)
      const plan = await planRung(lab, ladder, perSecond, durationMs, onHolds, signal)
      return measurePhase({
        lab,
        scenario: ladder,
        server: 'box',
        run: isWarmUp ? 0 : run,
        plan,
        generator: new Own(options.workers, perSecond),
        connections: options.connections,
        durationMs,
        signal,
        onMeasuring: () => {
          const startedMs = performance.now()
          const seconds = (): string => ((performance.now() - startedMs) / 1_000).toFixed(1)
          onStatus(() => `${name}: ${isWarmUp ? 'warming up' : `${seconds()} of ${durationMs / 1_000} s`}`)
        },
      })
    }
    const warm = await measure(Math.min(warmUp.perSecondMax, target), warmUp.durationMs, true)
    const phase = await measure(target, options.durationMs, false)
    onStatus(() => `${name}: auditing the data`)
    const violation = warm.violation ?? phase.violation ?? (await lab.audit(signal))
    return { ladder, target, phase: { ...phase, violation } }
  } finally {
    await lab.close()
  }
}

async function planRung(
  { sale }: Lab,
  ladder: LadderName,
  perSecond: number,
  durationMs: number,
  onHolds: (done: number) => void,
  signal: AbortSignal,
): Promise<RequestPlan> {
  if (ladder === 'payments') {
    const holds = await prepareHolds(sale, Math.ceil((perSecond * durationMs) / 1_000), onHolds, signal)
    return singleStep(payHolds(sale, holds), null)
  }
  // The payments of one second, so that they need not wait for the holds of this run.
  const seed = await prepareHolds(sale, Math.ceil(perSecond / mixedPaymentEvery), onHolds, signal)
  return mixedPlan(sale, seed, Math.ceil((perSecond * durationMs) / 1_000))
}
