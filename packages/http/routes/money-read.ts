import { problem } from '../problem.ts'
import { wireBalance, wireDispute, wirePayment, wireRefund } from '../wire.ts'
import type { Queries } from '@penstock/store/queries.ts'
import type { ReadRoute } from '../serve-read.ts'

/** `GET /v1/{path}/{id}` of one object, which is a `noun`. `find` gives it as JSON has it, or null. */
function findById(path: string, noun: string, find: (queries: Queries, id: string) => object | null): ReadRoute {
  return {
    path: `/v1/${path}/:id`,
    access: 'secret',
    read: ({ params }, { queries }) => {
      const id = params[0] ?? ''
      const object = find(queries, id)
      if (object === null) return { problem: problem('not_found', `There is no ${noun} ${id}.`, 'id') }
      return { json: JSON.stringify(object) }
    },
  }
}

/** `value` as `show` has it, or null. */
function shown<Value>(value: Value | null, show: (value: Value) => object): object | null {
  return value === null ? null : show(value)
}

/** `GET /v1/payments/{id}` */
export const paymentFind = findById('payments', 'payment', (queries, id) => shown(queries.findPayment(id), wirePayment))

/** `GET /v1/refunds/{id}` */
export const refundFind = findById('refunds', 'refund', (queries, id) => shown(queries.findRefund(id), wireRefund))

/** `GET /v1/disputes/{id}` */
export const disputeFind = findById('disputes', 'dispute', (queries, id) => shown(queries.findDispute(id), wireDispute))

/** `GET /v1/ledger/balances`: every account, in one page. */
export const ledgerBalances: ReadRoute = {
  path: '/v1/ledger/balances',
  access: 'secret',
  read: (_, { queries }) => {
    return { json: JSON.stringify({ object: 'list', data: queries.listBalances().map(wireBalance), has_more: false }) }
  },
}
