import { Own } from './generators/own/own.ts'
import { singleStep } from './generators/plan.ts'
import type { Step } from './generators/plan.ts'
import type { Sale } from './sale.ts'

const connections = 128
/** The step runs out of tokens long before. */
const durationMsMax = 120_000

/** Sends every token of a step once. Throws unless each answer is as the step expects. */
export async function prepareAnswers(sale: Sale, step: Step, signal: AbortSignal): Promise<void> {
  const load = { url: sale.url, plan: singleStep(step, null), connections, durationMs: durationMsMax }
  const { refused, errors } = await new Own(1, null).run(load, { onStarted: () => undefined, signal })
  if (refused + errors > 0) throw new Error(`${refused + errors} of the prepared ${step.name}s failed`)
}
