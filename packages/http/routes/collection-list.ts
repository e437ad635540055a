import { listReader } from '../collection-query.ts'
import { collectionNames, collections, resourceOf } from '../collections.ts'
import { sendProblem } from '../api.ts'
import { readListPage, renderListPage } from '../list-page.ts'
import { problem } from '../problem.ts'
import { slowListOf } from '@penstock/wire/objects.ts'
import { titleOf } from '@penstock/wire/schema-fields.ts'
import { answerSlowReadError } from '../slow-reads.ts'
import type { CollectionName } from '@penstock/store/scanner.ts'
import type { SlowReadRoute } from '../serve-read.ts'

/** `GET /v1/holds`, `/v1/payments`, `/v1/ledger/entries` and so on: newest first, with filters. */
export const collectionLists: readonly SlowReadRoute[] = collectionNames.map(collectionList)

function collectionList(name: CollectionName): SlowReadRoute {
  const { path, item, cursor } = collections[name]
  const reader = listReader(name)
  const things = name.replaceAll('_', ' ')
  return {
    kind: 'slow_read',
    path,
    resource: resourceOf(name),
    access: 'secret',
    summary: `List ${things}, newest first`,
    params: {},
    query: reader.params,
    content: { 'application/json': slowListOf(item, cursor, `${titleOf(item)}List`) },
    problems: [],
    answer: async (exchange, { query }, seq, deps) => {
      const { slowReads, clock } = deps
      const seqHeader = ['Penstock-Seq', seq]
      const wanted = reader.read(query, clock())
      if ('problem' in wanted) return sendProblem(exchange, deps, wanted.problem, seqHeader)
      if (!slowReads.lists.enter()) {
        return sendProblem(exchange, deps, problem('overloaded', 'Too many lists are being read.'), seqHeader)
      }
      try {
        const { selection, page } = wanted
        const read = await readListPage(slowReads.readPart, selection, page, clock, () => !exchange.done)
        exchange.send(200, ['Content-Type', 'application/json', ...seqHeader], renderListPage(read))
      } catch (error) {
        answerSlowReadError(exchange, deps, error, seqHeader)
      } finally {
        slowReads.lists.leave()
      }
    },
  }
}
