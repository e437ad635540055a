import { findViolation } from '../check-rows.ts'
import { CpuWatch } from '../cpu.ts'
import { singleStep } from '../generators/plan.ts'
import { prepareHolds } from '../prepare-holds.ts'
import { createHold, payHolds, readList } from '../steps.ts'
import { warmUp } from '../warm-up.ts'
import type { CpuShare } from '../cpu.ts'
import type { Generator } from '../generators/generator.ts'
import type { Latency } from '../generators/latency.ts'
import type { RequestPlan } from '../generators/plan.ts'
import type { Sale } from '../sale.ts'
import type { Contestant, Peer } from './contestant.ts'

export type PeerLoad = 'payments' | 'holds' | 'reads'

/** One load on one peer, once. */
export interface PeerSample {
  readonly peer: string
  readonly load: PeerLoad
  readonly round: number
  readonly perSecond: number
  readonly elapsedMs: number
  /** It ended because its prepared holds were used up. */
  readonly ranOut: boolean
  readonly latencyUs: Latency
  readonly violation: string | null
  /** The peer counts as HTTP. */
  readonly cpu: CpuShare | null
}

interface MeasureDeps {
  readonly loads: readonly PeerLoad[]
  readonly generator: Generator
  readonly connections: number
  readonly durationMs: number
  readonly round: number
  readonly signal: AbortSignal
  readonly status: (text: string) => void
}

const warmUpMs = 1_000
/** Enough for most of them; the warm-up tells more. */
const guessPerSecond = 5_000
const reserve = 1.8

export async function measureContestant(peer: Peer, deps: MeasureDeps): Promise<PeerSample[]> {
  deps.status('starting')
  const contestant = await peer.start()
  try {
    const samples: PeerSample[] = []
    for (const load of deps.loads) {
      deps.status(`${load}: warming up`)
      const warm = await warmUp(warmUpMs, guessPerSecond, (perSecond, durationMs) =>
        measureLoad(peer.name, contestant, load, perSecond, { ...deps, durationMs }),
      )
      const sample = await measureLoad(peer.name, contestant, load, warm.perSecond * reserve, deps)
      samples.push({ ...sample, violation: warm.violation ?? sample.violation })
    }
    deps.status('auditing')
    const violation = await contestant.audit(deps.signal)
    return samples.map((sample) => ({ ...sample, violation: sample.violation ?? violation }))
  } finally {
    await contestant.close()
  }
}

async function measureLoad(
  peer: string,
  contestant: Contestant,
  load: PeerLoad,
  perSecondMax: number,
  { generator, connections, durationMs, round, signal, status }: MeasureDeps,
): Promise<PeerSample> {
  signal.throwIfAborted()
  const { sale } = contestant
  const plan = await planLoad(sale, load, Math.ceil((perSecondMax * durationMs) / 1_000), status, signal)
  status(load)
  const before = await contestant.countRows()
  let watch: CpuWatch | null = null
  try {
    const result = await generator.run(
      { url: sale.url, plan, connections, durationMs },
      { signal, onStarted: (pids) => (watch = new CpuWatch({ generator: pids, http: contestant.pids(), writer: [] })) },
    )
    const cpu = stopped(watch)
    return {
      peer,
      load,
      round,
      perSecond: result.ok / (result.elapsedMs / 1_000),
      elapsedMs: result.elapsedMs,
      ranOut: result.ranOut,
      latencyUs: result.latencyUs,
      violation: findViolation(plan.steps, result, before, await contestant.countRows()),
      cpu,
    }
  } finally {
    // Its timer would keep an interrupted bench alive.
    stopped(watch)
  }
}

function stopped(watch: CpuWatch | null): CpuShare | null {
  return watch?.stop() ?? null
}

async function planLoad(
  sale: Sale,
  load: PeerLoad,
  requestsMax: number,
  status: (text: string) => void,
  signal: AbortSignal,
): Promise<RequestPlan> {
  const { parking } = sale.facts
  switch (load) {
    case 'reads':
      return singleStep(readList(sale), null)
    case 'holds':
      return singleStep(createHold(sale), parking)
    case 'payments': {
      const onProgress = (done: number): void => status(`preparing holds, ${done} of ${requestsMax}`)
      return singleStep(payHolds(sale, await prepareHolds(sale, requestsMax, onProgress, signal)), parking)
    }
  }
}
