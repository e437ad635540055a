import type { Accepted } from '@penstock/domain/result.ts'

/** The result as the one outcome its command can have. Anything else is a bug of the writer. */
export function expected<Outcome extends Accepted['outcome']>(
  result: Accepted,
  outcome: Outcome,
): Extract<Accepted, { outcome: Outcome }> {
  if (result.outcome !== outcome) throw new Error(`the writer answered ${result.outcome}, expected ${outcome}`)
  return result as Extract<Accepted, { outcome: Outcome }>
}
