import { chooseGenerators } from './generators/choice.ts'
import { measurePhase } from './phase.ts'
import { waitForQuiet } from './quiet.ts'
import { paceOf, warmUp } from './warm-up.ts'
import type { Generator } from './generators/generator.ts'
import type { Lab } from './lab.ts'
import type { BenchOptions } from './options.ts'
import type { Phase } from './phase.ts'
import type { Scenario } from './scenarios/scenario.ts'

/**
 * Of each phase, in its own box: Node compiles what is hot for one or two seconds, in which answers take many times as
 * long. It also says how many holds the phase needs.
 */
const warmUpMs = 2_000
/** Before anything was measured: what a phase may send per second. */
const guessPerSecond = 15_000
/** Holds prepared for a phase, over what the fastest phase so far needed. */
const reserve = 1.3

export interface CampaignDeps {
  readonly openLab: () => Promise<Lab>
  readonly options: BenchOptions
  readonly generators: readonly Generator[]
  /** Looks at every answer: warms up what wrk could not tell from failures. */
  readonly checker: Generator
  readonly signal: AbortSignal
  readonly onStatus: (status: () => string) => void
  readonly onPhase: (phase: Phase) => void
  /** A scenario that no generator here can send, or one by name. */
  readonly onMissing: (scenario: string, reason: string) => void
  /** After each round: null when the data is sound, otherwise what is broken. It voids the phases of the round. */
  readonly onAudited: (run: number, violation: string | null) => void
}

/**
 * Every scenario by every generator, round after round (A B A B), so that a slow minute of the machine hits all alike.
 * Each round has a box of its own, with a new database: otherwise the last would be measured on what the others left.
 * Each phase begins with a warm-up that does not count.
 */
export async function runCampaign(deps: CampaignDeps): Promise<void> {
  const fastest = new Map<string, number>()
  for (let run = 1; run <= deps.options.runs; run++) {
    deps.signal.throwIfAborted()
    deps.onStatus(() => 'starting a box')
    const lab = await deps.openLab()
    try {
      await runRound(deps, lab, run, fastest)
      deps.onStatus(() => 'auditing the data')
      deps.onAudited(run, await lab.audit(deps.signal))
    } finally {
      deps.onStatus(() => 'stopping the box')
      await lab.close()
    }
  }
}

/** `fastest`: the requests a second of each scenario and generator so far, to know how many holds to prepare. */
async function runRound(deps: CampaignDeps, lab: Lab, run: number, fastest: Map<string, number>): Promise<void> {
  for (const scenario of deps.options.scenarios) {
    const kind = scenario.sends ?? 'variable'
    const { chosen, unable } = chooseGenerators(kind, deps.generators, deps.options.isEachGenerator)
    for (const { name } of unable) deps.onMissing(`${scenario.name} by ${name}`, `${name} cannot send it`)
    if (chosen.length === 0) deps.onMissing(scenario.name, 'no generator here can send it')
    for (const generator of chosen) {
      const key = `${scenario.name} ${generator.name}`
      const measure = async (place: PhasePlace): Promise<Phase> => {
        const phase = await runPhase(deps, lab, place)
        fastest.set(key, Math.max(phase.perSecond, fastest.get(key) ?? 0))
        deps.onPhase(phase)
        return phase
      }
      const warming = scenario.isRefused === true ? deps.checker : generator
      await warmUp(
        Math.min(warmUpMs, deps.options.durationMs),
        fastest.get(key) ?? guessPerSecond,
        async (perSecond, durationMs) =>
          paceOf(await measure({ scenario, generator: warming, run: 0, of: run, perSecond, durationMs })),
      )
      const perSecond = fastest.get(key) ?? guessPerSecond
      await measure({ scenario, generator, run, of: run, perSecond, durationMs: deps.options.durationMs })
    }
  }
}

interface PhasePlace {
  readonly scenario: Scenario
  readonly generator: Generator
  /** 0: a warm-up. */
  readonly run: number
  /** The round that it is part of. */
  readonly of: number
  /** The fastest so far. */
  readonly perSecond: number
  readonly durationMs: number
}

async function runPhase(
  { options, signal, onStatus }: CampaignDeps,
  lab: Lab,
  { scenario, generator, run, of: round, perSecond: fastestPerSecond, durationMs }: PhasePlace,
): Promise<Phase> {
  signal.throwIfAborted()
  const perSecond = options.perSecond ?? fastestPerSecond * reserve
  const name = `run ${round} of ${options.runs}: ${run === 0 ? 'warm-up: ' : ''}${scenario.name} by ${generator.name}`
  onStatus(() => `${name}: starting`)
  // Before the requests are made: signatures of webhooks age.
  if (run > 0) await waitForQuiet(options.quietMs, signal)
  const plan = await scenario.prepare(lab, {
    requestsMax: Math.ceil(perSecond * (durationMs / 1_000)),
    connections: options.connections,
    signal,
    onProgress: (done, of) => {
      onStatus(() => `${name}: preparing holds, ${done.toLocaleString('en-US')} of ${of.toLocaleString('en-US')}`)
    },
  })
  return measurePhase({
    lab,
    scenario: scenario.name,
    server: scenario.server,
    run,
    plan,
    generator,
    counts: scenario.counts,
    connections: options.connections,
    durationMs,
    signal,
    alongside: scenario.alongside,
    onMeasuring: () => {
      const startedMs = performance.now()
      onStatus(() => `${name}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} of ${durationMs / 1_000} s`)
    },
  })
}
