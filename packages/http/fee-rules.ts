import { problem } from './problem.ts'
import type { FeeRule } from '@penstock/domain/fee.ts'
import type { Static } from 'typebox'
import type { Problem } from './problem.ts'
import type { dropCreateBody } from './schema.ts'

type FeeBody = NonNullable<Static<typeof dropCreateBody>['fees']>[number]

/** The fees of a drop, or the one that is neither an amount nor a share, or both. */
export function readFeeRules(fees: readonly FeeBody[]): readonly FeeRule[] | { readonly problem: Problem } {
  const wrong = fees.findIndex((fee) => (fee.amount === undefined) === (fee.basis_points === undefined))
  if (wrong !== -1) {
    const detail = `fees[${wrong}] must have either amount or basis_points.`
    return { problem: problem('invalid_request', detail, `fees[${wrong}]`) }
  }
  return fees.map(({ name, kind, amount, basis_points: basisPoints }) => ({
    name,
    kind,
    amountMinor: amount ?? null,
    basisPoints: basisPoints ?? null,
  }))
}
