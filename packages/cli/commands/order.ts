import { isCurrency, parseAmount, currencyExponent } from '@penstock/domain/money.ts'
import { openApi, serverNotes, serverOptions } from '../api-client.ts'
import { showAmount, showText, showTime } from '../amount.ts'
import { exitCodes, usageError } from '../exit-code.ts'
import { facts, table } from '../output.ts'
import { limitOf, limitOption, printList } from './list.ts'
import type { Json } from '../api-client.ts'
import type { Call, Command, Context } from '../command.ts'
import type { Column } from '../output.ts'

/** Options of `order list` and the query parameters they stand for. */
const filters = { drop: 'drop', status: 'status', email: 'customer_email' } as const

export const orderList: Command = {
  name: 'order list',
  summary: 'show the orders, the newest first',
  options: [
    { flags: '--drop <id>', summary: 'only of this drop' },
    { flags: '--status <status>', summary: 'only with this status' },
    { flags: '--email <address>', summary: 'only of this customer' },
    limitOption,
    ...serverOptions,
  ],
  notes: serverNotes,
  run: async (call, context) => {
    const query = new URLSearchParams()
    for (const [option, parameter] of Object.entries(filters)) {
      const value = call.text(option)
      if (value !== undefined) query.set(parameter, value)
    }
    const found = await openApi(call, context).list('/v1/orders', query, limitOf(call))
    const columns: Column<Json>[] = [
      { title: 'id', value: (order) => String(order['id']) },
      { title: 'status', value: (order) => String(order['status']) },
      { title: 'created', value: (order) => showTime(order['created']) },
      { title: 'amount', value: (order) => showAmount(order['amount'], order['currency']), isNumber: true },
      { title: 'customer', value: (order) => emailOf(order) },
    ]
    printList(found, columns, call, context)
    return exitCodes.done
  },
}

export const orderShow: Command = {
  name: 'order show',
  summary: 'show one order with its lines and customer',
  args: [{ usage: '<id>', summary: 'ord_...' }],
  options: serverOptions,
  notes: serverNotes,
  run: async (call, context) => {
    const [id = ''] = call.args
    const order = await openApi(call, context).get(`/v1/orders/${encodeURIComponent(id)}`)
    if (call.json) context.output.json(order)
    else printOrder(order, context)
    return exitCodes.done
  },
}

/** Shown in a way of their own, or not facts. */
const special = ['object', 'amount', 'amount_refunded', 'currency', 'lines', 'customer', 'codes', 'fees']
const times = ['created', 'cancelled_at', 'fulfilled_at']

function printOrder(order: Json, { output }: Context): void {
  const { currency } = order
  const money = (value: unknown): string => showAmount(value, currency)
  const customer = (order['customer'] ?? {}) as Json
  const rest = Object.entries(order).filter(([name]) => !special.includes(name))
  for (const line of facts([
    ...rest.map(([name, value]) => [name, times.includes(name) ? showTime(value) : showText(value)] as const),
    ['amount', money(order['amount'])],
    ...(order['amount_refunded'] === undefined ? [] : [['amount_refunded', money(order['amount_refunded'])] as const]),
    ...((order['fees'] ?? []) as Json[]).map((fee) => [`fee ${showText(fee['name'])}`, money(fee['amount'])] as const),
    ...(order['customer'] === null ? [['customer', '(erased)'] as const] : []),
    ...Object.entries(customer).map(([name, value]) => [`customer ${name}`, showText(value)] as const),
  ])) {
    output.line(line)
  }
  output.line()
  for (const line of table(
    [
      { title: 'sku', value: (row) => String(row['sku']) },
      { title: 'quantity', value: (row) => Number(row['quantity']), isNumber: true },
      { title: 'refunded', value: (row) => Number(row['quantity_refunded'] ?? 0), isNumber: true },
      { title: 'unit amount', value: (row) => money(row['unit_amount']), isNumber: true },
    ],
    order['lines'] as Json[],
  )) {
    output.line(line)
  }
  const codes = (order['codes'] ?? []) as Json[]
  if (codes.length === 0) return
  output.line()
  for (const line of table(
    ['code', 'sku', 'status'].map((title) => ({ title, value: (row: Json) => showText(row[title]) })),
    codes,
  )) {
    output.line(line)
  }
}

function emailOf(order: Json): string {
  const { customer } = order as { customer: Json | null }
  return customer === null ? '(erased)' : String(customer['email'])
}

export const orderRefund: Command = {
  name: 'order refund',
  summary: 'give an order its money back: all that is left, an amount, or lines',
  args: [{ usage: '<id>', summary: 'ord_...' }],
  options: [
    { flags: '--amount <amount>', summary: 'so much, with all decimals of the currency: 49.99' },
    { flags: '--line <sku=quantity>', summary: 'so many units of a SKU; may be repeated', repeatable: true },
    { flags: '--restock', summary: 'the units can be sold again' },
    { flags: '--reason <text>', summary: 'why; kept with the refund' },
    { flags: '--key <text>', summary: 'Idempotency-Key: the same key never refunds twice' },
    ...serverOptions,
  ],
  notes: `Without --amount and --line: all that is left. Lines alone are refunded at their price. When no answer came, ask again
with the key that was printed.
${serverNotes}`,
  run: async (call, context) => {
    const [id = ''] = call.args
    const lines = call.list('line').map(readLine)
    const api = openApi(call, context)
    const order = await api.get(`/v1/orders/${encodeURIComponent(id)}`)
    const body = {
      payment: order['payment'],
      ...amountOf(call, String(order['currency'])),
      ...(lines.length > 0 ? { lines } : {}),
      ...(call.has('restock') ? { restock: true } : {}),
      ...(call.text('reason') === undefined ? {} : { reason: call.text('reason') }),
    }
    const key = call.text('key') ?? `refund-${crypto.randomUUID()}`
    context.output.note(`Idempotency-Key ${key}`)
    const refund = await api.post('/v1/refunds', body, key)
    if (call.json) context.output.json(refund)
    else {
      const amount = showAmount(refund['amount'], refund['currency'])
      context.output.line(`${String(refund['id'])}  ${String(refund['status'])}  ${amount} of ${id}`)
    }
    return exitCodes.done
  },
}

function readLine(text: string): { sku: string; quantity: number } {
  const [, sku = '', quantity = ''] = /^(sku_[^=]+)=(\d{1,9})$/.exec(text) ?? []
  if (sku === '' || Number(quantity) < 1)
    throw usageError(`--line is "${text}", expected SKU=QUANTITY such as sku_...=2: penstock order show lists the SKUs`)
  return { sku, quantity: Number(quantity) }
}

function amountOf(call: Call, currency: string): { amount?: number } {
  const text = call.text('amount')
  if (text === undefined) return {}
  if (!isCurrency(currency)) throw usageError(`the order is in ${currency}, which this release does not know`)
  const amount = parseAmount(text, currency)
  if (amount !== null) return { amount }
  const decimals = currencyExponent(currency)
  const wanted = decimals === 0 ? 'a whole number' : `a number with ${decimals} decimals`
  throw usageError(
    `--amount is "${text}", expected ${wanted} (the order is in ${currency.toUpperCase()}), such as ${showAmount(4_999, currency).split(' ')[0]}`,
  )
}
