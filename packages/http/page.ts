import { isId } from '@penstock/domain/id.ts'
import { pageSizeDefault, pageSizeMax } from '@penstock/domain/limits.ts'
import { problem } from './problem.ts'
import type { IdKind } from '@penstock/domain/id.ts'
import type { Page } from '@penstock/store/queries.ts'
import type { Problem } from './problem.ts'

const pageParams = ['limit', 'starting_after', 'ending_before'] as const

/** The query of a list: the page, and the other parameters the route allows. */
export interface ListQuery<Name extends string> {
  readonly page: Page
  readonly filters: Partial<Record<Name, string>>
}

/** Reads a list's query string. Unknown, repeated or malformed parameters are refused by name. */
export function readListQuery<const Name extends string>(
  query: string,
  filterNames: readonly Name[],
): ListQuery<Name> | { problem: Problem } {
  const params = new URLSearchParams(query)
  const known: readonly string[] = [...pageParams, ...filterNames]
  for (const name of params.keys()) {
    if (!known.includes(name)) return refuse(name, `${name} is not a parameter here; there are ${known.join(', ')}.`)
    if (params.getAll(name).length > 1) return refuse(name, `${name} is given more than once.`)
  }
  const limit = params.get('limit') ?? String(pageSizeDefault)
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > pageSizeMax) {
    return refuse('limit', `limit must be a whole number from 1 to ${pageSizeMax}.`)
  }
  const startingAfter = params.get('starting_after')
  const endingBefore = params.get('ending_before')
  if (startingAfter !== null && endingBefore !== null) {
    return refuse('ending_before', 'starting_after and ending_before cannot be combined.')
  }
  const filters: Partial<Record<Name, string>> = {}
  for (const name of filterNames) {
    const value = params.get(name)
    if (value !== null) filters[name] = value
  }
  return { page: { limit: Number(limit), startingAfter, endingBefore }, filters }
}

/** Cursors are ids of what is listed: anything else is refused by name rather than taken for a place in the list. */
export function checkCursors({ startingAfter, endingBefore }: Page, kind: IdKind): Problem | null {
  const cursors = { starting_after: startingAfter, ending_before: endingBefore }
  for (const [param, cursor] of Object.entries(cursors)) {
    if (cursor === null || isId(kind, cursor)) continue
    return problem('invalid_request', `${param} must be the id of ${kind === 'order' ? 'an' : 'a'} ${kind}.`, param)
  }
  return null
}

function refuse(name: string, detail: string): { problem: Problem } {
  return { problem: problem('invalid_request', detail, name) }
}
