import Type from 'typebox'
import { liveEventsMax } from '@penstock/domain/limits.ts'
import { sendProblem } from '../api.ts'
import { QueryReader } from '../page.ts'
import { problem } from '../problem.ts'
import { id, whole } from '@penstock/wire/schema-fields.ts'
import type { SlowReadRoute } from '../serve-read.ts'

const liveQuery = new QueryReader({ events: whole(1, liveEventsMax, 1) })

/** `GET /v1/drops/{id}/live`: the drop as server-sent events. */
export const dropLive: SlowReadRoute = {
  kind: 'slow_read',
  path: '/v1/drops/:id/live',
  resource: 'drops',
  access: 'publishable',
  summary: 'Watch a drop: the whole drop now and after every change, as server-sent events',
  params: { id: id('drop') },
  query: liveQuery.params,
  content: {
    'text/event-stream': Type.String({
      description: 'events named drop, each with a Drop as data and the commit it shows as id; at most one in 100 ms',
    }),
  },
  problems: ['not_found'],
  answer: async (exchange, { params, query, credential, authorization }, seq, deps) => {
    const { catalogue, credentials, live } = deps
    const seqHeader = ['Penstock-Seq', seq]
    const split = liveQuery.split(query)
    if ('problem' in split) return sendProblem(exchange, deps, split.problem, seqHeader)
    const wrong = liveQuery.firstWrong(split.params, ['events'])
    if (wrong !== null) return sendProblem(exchange, deps, wrong.problem, seqHeader)
    const dropId = params[0] ?? ''
    if (catalogue.find(dropId, credential.kind) === null) {
      return sendProblem(exchange, deps, problem('not_found', `There is no drop ${dropId}.`, 'id'), seqHeader)
    }
    if (live.isFull) {
      return sendProblem(exchange, deps, problem('overloaded', 'Too many live pages are open here.'), seqHeader)
    }
    const eventsMax = Number(split.params.events ?? Number.POSITIVE_INFINITY)
    // Proxies that keep answers back until they are full would keep these back for ever.
    const headers = ['Content-Type', 'text/event-stream', 'Cache-Control', 'no-store', 'X-Accel-Buffering', 'no']
    const isAccepted = (): boolean => credentials.find(authorization) !== null
    await exchange.stream(200, [...headers, ...seqHeader], live.watch(dropId, credential.kind, eventsMax, isAccepted))
  },
}
