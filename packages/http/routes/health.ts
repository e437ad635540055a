import { healthObject } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import type { PlainRoute } from '../serve-plain.ts'

const ok = '{"status":"ok"}'

/** `GET /healthz` */
export const health: PlainRoute = {
  kind: 'plain',
  path: '/healthz',
  summary: 'Whether this process answers',
  contentType: 'application/json',
  answer: healthObject,
  problems: [],
  respond: () => ({ body: ok }),
}

/** `GET /readyz` */
export const readiness: PlainRoute = {
  kind: 'plain',
  path: '/readyz',
  summary: 'Whether this process can serve: it reads the database and has a writer',
  contentType: 'application/json',
  answer: healthObject,
  problems: ['not_ready'],
  respond: ({ writer, queries }) => {
    if (!writer.isConnected) return { problem: problem('not_ready', 'There is no writer.') }
    queries.readSeq()
    return { body: ok }
  },
}
