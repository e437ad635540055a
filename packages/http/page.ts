import { pageSizeDefault, pageSizeMax, wireTimeMax } from '@penstock/domain/limits.ts'
import { problem } from './problem.ts'
import type { Page } from '@penstock/store/queries.ts'
import type { Problem } from './problem.ts'

export const pageParams = ['limit', 'starting_after', 'ending_before'] as const
export const createdParams = ['created_from', 'created_to'] as const

/** The parameters of a query string, by name. */
export type Params<Name extends string> = Readonly<Partial<Record<Name, string>>>

/** When something was made. Unix milliseconds; null: no bound. */
export interface CreatedRange {
  readonly createdFromMs: number | null
  /** Exclusive. */
  readonly createdBeforeMs: number | null
}

/** Unknown and repeated parameters are refused by name. */
export function readParams<const Name extends string>(
  query: string,
  names: readonly Name[],
): { readonly params: Params<Name> } | { readonly problem: Problem } {
  const known: readonly string[] = names
  const params: Partial<Record<string, string>> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    if (!known.includes(name)) return refuse(name, `${name} is not a parameter here; there are ${known.join(', ')}.`)
    if (params[name] !== undefined) return refuse(name, `${name} is given more than once.`)
    params[name] = value
  }
  return { params: params as Params<Name> }
}

/**
 * Cursors are ids of what is listed (`noun`, "an order"): anything else is refused by name rather than taken for a
 * place in the list.
 */
export function readPage(
  params: Params<(typeof pageParams)[number]>,
  noun: string,
  isCursor: (text: string) => boolean,
): Page | { readonly problem: Problem } {
  const { limit = String(pageSizeDefault), starting_after: startingAfter, ending_before: endingBefore } = params
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > pageSizeMax) {
    return refuse('limit', `limit must be a whole number from 1 to ${pageSizeMax}.`)
  }
  if (startingAfter !== undefined && endingBefore !== undefined) {
    return refuse('ending_before', 'starting_after and ending_before cannot be combined.')
  }
  for (const name of ['starting_after', 'ending_before'] as const) {
    const cursor = params[name]
    if (cursor !== undefined && !isCursor(cursor)) return refuse(name, `${name} must be the id of ${noun}.`)
  }
  return { limit: Number(limit), startingAfter: startingAfter ?? null, endingBefore: endingBefore ?? null }
}

/** `created_from` and `created_to`: Unix seconds, both included. */
export function readCreated(
  params: Params<(typeof createdParams)[number]>,
): CreatedRange | { readonly problem: Problem } {
  for (const name of createdParams) {
    const text = params[name]
    if (text !== undefined && (!/^\d{1,12}$/.test(text) || Number(text) > wireTimeMax)) {
      return refuse(name, `${name} must be a time in whole Unix seconds, from 0 to ${wireTimeMax}.`)
    }
  }
  const { created_from: from, created_to: to } = params
  if (from !== undefined && to !== undefined && Number(to) < Number(from)) {
    return refuse('created_to', 'created_to must not be before created_from.')
  }
  return {
    createdFromMs: from === undefined ? null : Number(from) * 1_000,
    createdBeforeMs: to === undefined ? null : (Number(to) + 1) * 1_000,
  }
}

function refuse(name: string, detail: string): { readonly problem: Problem } {
  return { problem: problem('invalid_request', detail, name) }
}
