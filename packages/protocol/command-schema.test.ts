import { expect, it } from 'vitest'
import { checkCommand, commandStructures, rareSchemas } from './command-schema.ts'
import { FrameError } from './frame.ts'
import { sampleCommands } from './samples.ts'
import type { CommandKind } from '@penstock/domain/command.ts'

type Change = readonly [path: string, value: unknown]

const kinds = Object.keys(sampleCommands) as CommandKind[]

/** A copy of the sample with one field set; `undefined` removes it. */
function changed(kind: CommandKind, [path, value]: Change): unknown {
  const copy: unknown = structuredClone(sampleCommands[kind])
  const names = path.split('.')
  const last = names.pop() ?? ''
  let at = copy as Record<string, unknown>
  for (const name of names) at = at[name] as Record<string, unknown>
  if (value === undefined) delete at[last]
  else at[last] = value
  return copy
}

it.each(kinds)('checkCommand accepts %s', (kind) => {
  expect(checkCommand(sampleCommands[kind])).toBe(sampleCommands[kind])
})

it.each(kinds.flatMap((kind) => Object.keys(sampleCommands[kind]).map((field) => [kind, field] as const)))(
  'checkCommand refuses %s without %s',
  (kind, field) => {
    expect(() => checkCommand(changed(kind, [field, undefined]))).toThrow(FrameError)
  },
)

it.each(kinds.flatMap((kind) => Object.keys(sampleCommands[kind]).map((field) => [kind, field] as const)))(
  'checkCommand refuses %s with a list of lists as %s',
  (kind, field) => {
    expect(() => checkCommand(changed(kind, [field, [[1]]]))).toThrow(FrameError)
  },
)

const wrongIntegers: readonly unknown[] = [
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  -(2 ** 53),
  '1',
  1n,
  true,
]

it.each([
  ['create_drop', 'startsAtMs'],
  ['create_drop', 'endsAtMs'],
  ['create_drop', 'holdTtlMs'],
  ['create_drop', 'maxPerCustomer'],
  ['create_drop', 'skus.0.unitAmountMinor'],
  ['create_drop', 'skus.0.stock'],
  ['update_drop', 'changes.startsAtMs'],
  ['update_drop', 'changes.holdTtlMs'],
  ['update_drop', 'skuChanges.0.unitAmountMinor'],
  ['update_drop', 'newSkus.0.stock'],
  ['restock_sku', 'quantity'],
  ['create_hold', 'lines.0.quantity'],
  ['capture_payment', 'amountMinor'],
  ['create_refund', 'amountMinor'],
  ['create_refund', 'lines.0.quantity'],
  ['open_dispute', 'amountMinor'],
  ['create_key', 'expiresAtMs'],
  ['roll_key', 'overlapMs'],
  ['touch_keys', 'uses.0.usedMs'],
] as const)('checkCommand takes nothing but a safe integer in %s %s', (kind, path) => {
  for (const value of wrongIntegers) {
    expect(() => checkCommand(changed(kind, [path, value])), `${path} = ${String(value)}`).toThrow(FrameError)
  }
})

it.each<[CommandKind, string, unknown]>([
  ['create_drop', 'currency', 'xxx'],
  ['create_drop', 'currency', 'USD'],
  ['capture_payment', 'currency', 'toString'],
  ['capture_payment', 'amountMinor', -1],
  ['create_hold', 'lines', []],
  ['create_hold', 'lines.0.quantity', 0],
  ['create_hold', 'lines.0.quantity', -1],
  ['create_hold', 'customer.email', null],
  ['create_hold', 'customer.phone', 1],
  ['create_hold', 'customer.shippingAddress.line1', null],
  ['create_hold', 'replace.proof', 1],
  ['create_hold', 'key', { id: 'x' }],
  ['create_hold', 'key.id', 7],
  ['create_drop', 'skus', []],
  ['create_drop', 'holdTtlMs', 0],
  ['create_drop', 'maxPerCustomer', 0],
  ['create_drop', 'latePayment', 'keep'],
  ['create_drop', 'metadata.team', 1],
  ['create_drop', 'metadata.team', null],
  ['update_drop', 'changes.phase', 'ended'],
  ['update_drop', 'changes.id', 'drop_2'],
  ['update_drop', 'changes.name', null],
  ['change_drop_phase', 'action', 'stop'],
  ['restock_sku', 'key', null],
  ['create_refund', 'amountMinor', -1],
  ['create_refund', 'lines', []],
  ['create_refund', 'lines.0.quantity', 0],
  ['settle_refund', 'status', 'pending'],
  ['open_dispute', 'amountMinor', 0],
  ['close_dispute', 'status', 'open'],
  ['cancel_order', 'restock', null],
  ['expire_holds', 'key', { id: 'x', fingerprint: 'y' }],
  ['create_key', 'keyKind', 'root'],
  ['create_key', 'scopes.0', 1],
  ['create_key', 'secretHash', null],
  ['roll_key', 'overlapMs', -1],
  ['touch_keys', 'key', { id: 'x', fingerprint: 'y' }],
  ['touch_keys', 'uses.0.apiKeyId', null],
])('checkCommand refuses %s with %s = %j', (kind, path, value) => {
  expect(() => checkCommand(changed(kind, [path, value]))).toThrow(FrameError)
})

it.each<[CommandKind, string, unknown]>([
  ['create_drop', 'startsAtMs', null],
  ['create_drop', 'metadata', {}],
  ['create_drop', 'key', null],
  ['update_drop', 'changes', {}],
  ['update_drop', 'changes.maxPerCustomer', null],
  ['restock_sku', 'quantity', -5],
  ['create_hold', 'replace', null],
  ['create_hold', 'replace.proof', null],
  ['create_hold', 'customer.shippingAddress', null],
  ['capture_payment', 'amountMinor', 0],
  ['create_refund', 'amountMinor', 0],
  ['create_refund', 'amountMinor', null],
  ['create_refund', 'lines', null],
  ['open_dispute', 'amountMinor', null],
  ['capture_payment', 'amountMinor', Number.MAX_SAFE_INTEGER],
])('checkCommand accepts %s with %s = %j', (kind, path, value) => {
  expect(() => checkCommand(changed(kind, [path, value]))).not.toThrow()
})

it.each([
  ['nothing', undefined],
  ['null', null],
  ['a number', 7],
  ['a text', 'create_hold'],
  ['a list', ['create_hold']],
  ['no kind', { key: null }],
  ['a kind that is no text', { kind: ['create_hold'] }],
  ['an unknown kind', { kind: 'drop_table', key: null }],
  ['a kind of every object', { kind: 'constructor', key: null }],
  ['a kind named __proto__', JSON.parse('{"kind":"__proto__","key":null}') as unknown],
  ['a kind that cannot be shown', { kind: Object.create(null) as unknown }],
  ['a kind that is a symbol', { kind: Symbol('x') }],
])('checkCommand refuses %s', (_, value) => {
  expect(() => checkCommand(value)).toThrow(FrameError)
})

it('commandStructures names the fields of every frequent command in the order in which commands are made', () => {
  for (const [kind, command] of Object.entries(sampleCommands)) {
    if (kind in rareSchemas) continue
    expect(commandStructures, `fields of ${kind}`).toContainEqual(Object.keys(command))
  }
})
