import { disputeObject, ledgerBalanceObject, listOf, paymentObject, refundObject } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import { toJson } from '../route.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { readRoute } from '../serve-read.ts'
import { wireBalance, wireDispute, wireList, wirePayment, wireRefund } from '@penstock/wire/wire.ts'
import type { Static, TObject } from 'typebox'
import type { Queries } from '@penstock/store/queries.ts'

/** What one object is called, how its JSON is described, found and made. */
interface Findable<Answer extends TObject, Value> {
  readonly noun: 'payment' | 'refund' | 'dispute'
  readonly answer: Answer
  readonly find: (queries: Queries, id: string) => Value | null
  readonly toWire: (value: Value) => Static<Answer>
}

/** `GET /v1/{noun}s/{id}` */
function findById<Answer extends TObject, Value>({ noun, answer, find, toWire }: Findable<Answer, Value>) {
  return readRoute({
    path: `/v1/${noun}s/:id`,
    resource: `${noun}s` as const,
    access: 'secret',
    summary: `Read a ${noun}`,
    params: { id: id(noun) },
    answer,
    problems: ['not_found'],
    read: ({ params }, { queries }) => {
      const objectId = params[0] ?? ''
      const value = find(queries, objectId)
      if (value === null) return { problem: problem('not_found', `There is no ${noun} ${objectId}.`, 'id') }
      return { json: toJson(toWire(value)) }
    },
  })
}

export const paymentFind = findById({
  noun: 'payment',
  answer: paymentObject,
  find: (queries, paymentId) => queries.findPayment(paymentId),
  toWire: wirePayment,
})

export const refundFind = findById({
  noun: 'refund',
  answer: refundObject,
  find: (queries, refundId) => queries.findRefund(refundId),
  toWire: wireRefund,
})

export const disputeFind = findById({
  noun: 'dispute',
  answer: disputeObject,
  find: (queries, disputeId) => queries.findDispute(disputeId),
  toWire: wireDispute,
})

/** `GET /v1/ledger/balances`: every account, in one page. */
export const ledgerBalances = readRoute({
  path: '/v1/ledger/balances',
  resource: 'ledger',
  access: 'secret',
  summary: 'Read the balance of every account of the ledger',
  params: {},
  answer: listOf(ledgerBalanceObject, 'LedgerBalanceList'),
  problems: [],
  read: (_, { queries }) => ({ json: toJson(wireList(queries.listBalances().map(wireBalance), false)) }),
})
