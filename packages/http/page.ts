import { Compile } from 'typebox/compile'
import { pageSizeDefault, pageSizeMax } from '@penstock/domain/limits.ts'
import { problem } from './problem.ts'
import { id, whole } from './schema-fields.ts'
import type { Static, TSchema } from 'typebox'
import type { IdKind } from '@penstock/domain/id.ts'
import type { Page } from '@penstock/store/queries.ts'
import type { Problem } from './problem.ts'
import type { QueryParams } from './route.ts'

/** The query of a list: the page, and what the route filters by. */
export interface ListQuery<Filters extends QueryParams> {
  readonly page: Page
  readonly filters: { readonly [Name in keyof Filters]?: Static<Filters[Name]> }
}

export interface ListQueryReader<Filters extends QueryParams> {
  /** All parameters, for the documents. */
  readonly params: QueryParams
  /** Reads a raw query string. Unknown, repeated or malformed parameters are refused by name. */
  read(query: string): ListQuery<Filters> | { readonly problem: Problem }
}

/**
 * The parameters of a list of `kind`: `limit`, `starting_after`, `ending_before` and `filters`. The `description` of a
 * filter completes "FILTER must be …". Built once per route.
 */
export function listQuery<const Filters extends QueryParams>(kind: IdKind, filters: Filters): ListQueryReader<Filters> {
  const params: QueryParams = {
    limit: { ...whole(1, pageSizeMax, pageSizeDefault), default: pageSizeDefault },
    starting_after: id(kind),
    ending_before: id(kind),
    ...filters,
  }
  const readers = new Map(Object.entries(params).map(([name, schema]) => [name, paramReader(schema)]))
  return { params, read: (query) => readListQuery(query, readers) }
}

/** The value of a parameter; undefined when the text is none. */
type ParamReader = { readonly read: (text: string) => unknown; readonly expected: string }

function paramReader(schema: TSchema): ParamReader {
  const validator = Compile(schema)
  const isWhole = 'type' in schema && schema.type === 'integer'
  const read = (text: string): unknown => {
    const value = isWhole ? readWhole(text) : text
    return validator.Check(value) ? value : undefined
  }
  return { read, expected: 'description' in schema ? String(schema.description) : 'a valid value' }
}

/** At most 15 digits, which a number holds exactly. */
function readWhole(text: string): number | null {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : null
}

function readListQuery<Filters extends QueryParams>(
  query: string,
  readers: ReadonlyMap<string, ParamReader>,
): ListQuery<Filters> | { readonly problem: Problem } {
  const params = new URLSearchParams(query)
  const values: Record<string, unknown> = {}
  for (const [name, text] of params) {
    const reader = readers.get(name)
    if (reader === undefined) {
      return refuse(name, `${name} is not a parameter here; there are ${[...readers.keys()].join(', ')}.`)
    }
    if (Object.hasOwn(values, name)) return refuse(name, `${name} is given more than once.`)
    const value = reader.read(text)
    if (value === undefined) return refuse(name, `${name} must be ${reader.expected}.`)
    values[name] = value
  }
  const { limit = pageSizeDefault, starting_after: after = null, ending_before: before = null, ...filters } = values
  if (after !== null && before !== null) {
    return refuse('ending_before', 'starting_after and ending_before cannot be combined.')
  }
  const page = { limit, startingAfter: after, endingBefore: before } as Page
  return { page, filters } as ListQuery<Filters>
}

function refuse(name: string, detail: string): { problem: Problem } {
  return { problem: problem('invalid_request', detail, name) }
}
