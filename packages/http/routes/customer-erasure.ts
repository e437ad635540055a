import Type from 'typebox'
import { emailLengthMax, erasuresPerStep, scanRowsPerStep, slowReadDeadlineMs } from '@penstock/domain/limits.ts'
import { isRejected } from '@penstock/domain/result.ts'
import { sendProblem } from '../api.ts'
import { bodyParser } from '../json-body.ts'
import { customerErasureObject } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import { jsonAnswer } from '../route.ts'
import { id, orNull, strict, text } from '@penstock/wire/schema-fields.ts'
import { answerSlowReadError } from '../slow-reads.ts'
import type { Static } from 'typebox'
import type { Deps } from '../api.ts'
import type { Problem } from '../problem.ts'
import type { SlowWriteRoute } from '../serve-slow-write.ts'

const body = Type.Object(
  {
    email: text('an e-mail address', emailLengthMax, { pattern: '^[^\\s@]+@[^\\s@]+$', example: 'ada@example.com' }),
    starting_after: orNull(id('hold')),
  },
  { ...strict, title: 'CustomerErasureCreate' },
)

/**
 * `POST /v1/customer_erasures`: erases the customer of every hold with this e-mail, and so of every order. Looks through the
 * holds from the newest on for as long as a list may, and says where to go on. Repeating it is harmless.
 */
export const customerErasureCreate: SlowWriteRoute = {
  kind: 'slow_write',
  method: 'POST',
  path: '/v1/customer_erasures',
  resource: 'holds',
  access: 'secret',
  summary: 'Erase a customer by e-mail: of every hold and order there is',
  params: {},
  body,
  parseBody: bodyParser(body),
  answers: { 200: customerErasureObject },
  problems: [],
  perform: async (exchange, request, deps) => {
    const { slowReads } = deps
    if (!slowReads.lists.enter()) {
      return sendProblem(exchange, deps, problem('overloaded', 'Too many lists are being read.'))
    }
    try {
      const { email, starting_after: after } = request.body as Static<typeof body>
      const done = await eraseAll(deps, email, after ?? null, request.nowMs, () => !exchange.done)
      const { seq } = deps.catalogue
      const headers = ['Penstock-Seq', String(seq)]
      if ('problem' in done) return sendProblem(exchange, deps, done.problem, headers)
      const { status, json } = jsonAnswer(200, done.erasure)
      exchange.send(status, ['Content-Type', 'application/json', ...headers], json)
    } catch (error) {
      answerSlowReadError(exchange, deps, error, [])
    } finally {
      slowReads.lists.leave()
    }
  },
}

async function eraseAll(
  deps: Deps,
  email: string,
  startAfter: string | null,
  nowMs: number,
  isWanted: () => boolean,
): Promise<{ readonly erasure: Static<typeof customerErasureObject> } | { readonly problem: Problem }> {
  const { slowReads, clock } = deps
  const deadlineMs = clock() + slowReadDeadlineMs
  const selection = {
    collection: 'holds',
    filters: { customer_email: email },
    createdFromMs: null,
    createdBeforeMs: null,
  } as const
  const bounds = {
    direction: 'newest_first',
    rowsMax: scanRowsPerStep,
    matchesMax: erasuresPerStep,
    format: 'list',
  } as const
  let erased = 0
  for (let after = startAfter; ;) {
    const { items, scannedTo } = await slowReads.readPart({ ...selection, ...bounds, nowMs, after })
    const holdIds = items.map((item) => (JSON.parse(item) as { readonly id: string }).id)
    const refusal = (await Promise.all(holdIds.map((holdId) => erase(deps, holdId)))).find((one) => one !== null)
    if (refusal !== undefined) return { problem: refusal }
    erased += holdIds.length
    after = scannedTo
    const isOver = after === null
    if (isOver || clock() >= deadlineMs || !isWanted()) {
      return { erasure: { object: 'customer_erasure', erased, has_more: !isOver, scanned_to: after } }
    }
  }
}

/** Null: it is erased, now or before. */
function erase({ writer }: Pick<Deps, 'writer'>, holdId: string): Promise<Problem | null> {
  return new Promise((resolve) => {
    const taken = writer.submit({ kind: 'erase_customer', key: null, holdId }, (reply) => {
      if (reply === null)
        return resolve(problem('deadline_exceeded', `No answer in time whether ${holdId} was erased.`))
      const { result } = reply
      resolve(isRejected(result) ? { ...result, code: result.outcome } : null)
    })
    if (!taken) resolve(problem('overloaded', 'Too many requests wait for the writer; ask again.'))
  })
}
