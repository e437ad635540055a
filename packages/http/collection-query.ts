import { collections } from './collections.ts'
import { createdParams, pageParams, QueryReader, readCreated, readPage } from './page.ts'
import { exportFormats } from './read-part.ts'
import { oneOf } from '@penstock/wire/schema-fields.ts'
import type { TSchema } from 'typebox'
import type { Page } from '@penstock/store/queries.ts'
import type { CollectionName, Selection } from '@penstock/store/scanner.ts'
import type { Params } from './page.ts'
import type { Problem } from './problem.ts'
import type { ExportFormat } from './read-part.ts'
import type { QueryParams } from './route.ts'

type Refused = { readonly problem: Problem }

/** Reads the queries of a route. `nowMs`: Unix milliseconds, for what depends on the clock. */
interface CollectionReader<Wanted> {
  /** For the documents. */
  readonly params: QueryParams
  read(query: string, nowMs: number): Wanted | Refused
}

/** The query of a list. */
export function listReader(
  name: CollectionName,
): CollectionReader<{ readonly page: Page; readonly selection: Selection }> {
  const reader = new QueryReader({ ...pageParams(collections[name].cursor), ...createdParams, ...filtersOf(name) })
  return {
    params: reader.params,
    read: (query, nowMs) => {
      const split = reader.split(query)
      if ('problem' in split) return split
      const page = readPage(reader, split.params)
      if ('problem' in page) return page
      const selection = readSelection(name, reader, split.params, nowMs)
      return 'problem' in selection ? selection : { page, selection }
    },
  }
}

/** The query of an export: the filters of the list, and `format`. */
export function exportReader(
  name: CollectionName,
): CollectionReader<{ readonly format: ExportFormat; readonly selection: Selection }> {
  const format = { ...oneOf(exportFormats, `one of ${exportFormats.join(', ')}`), default: exportFormats[0] }
  const reader = new QueryReader({ format, ...createdParams, ...filtersOf(name) })
  return {
    params: reader.params,
    read: (query, nowMs) => {
      const split = reader.split(query)
      if ('problem' in split) return split
      const wrong = reader.firstWrong(split.params, ['format'])
      if (wrong !== null) return wrong
      const selection = readSelection(name, reader, split.params, nowMs)
      if ('problem' in selection) return selection
      return { format: (split.params.format ?? format.default) as ExportFormat, selection }
    },
  }
}

function filtersOf(name: CollectionName): Readonly<Record<string, TSchema>> {
  return collections[name].filters
}

function readSelection(
  name: CollectionName,
  reader: Pick<QueryReader<string>, 'firstWrong'>,
  params: Params<string>,
  nowMs: number,
): Selection | Refused {
  const created = readCreated(reader, params)
  if ('problem' in created) return created
  const names = Object.keys(filtersOf(name))
  const wrong = reader.firstWrong(params, names)
  if (wrong !== null) return wrong
  const given = names.flatMap((filter): [string, string][] => {
    const value = params[filter]
    return value === undefined ? [] : [[filter, value]]
  })
  return { collection: name, filters: Object.fromEntries(given), ...created, nowMs }
}
