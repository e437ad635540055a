import { expect, it } from 'vitest'
import { dropCommand, holdCommand, phaseCommand, shoe, TestSale } from '../test-sale.ts'
import type { DropAction, DropPhase } from '@penstock/domain/drop.ts'

const ways: Record<DropPhase, readonly DropAction[]> = {
  draft: [],
  published: ['publish'],
  paused: ['publish', 'pause'],
  ended: ['publish', 'end'],
  cancelled: ['publish', 'cancel'],
}

function saleIn(phase: DropPhase): TestSale {
  const sale = new TestSale()
  sale.accept(dropCommand(), ...ways[phase].map((action) => phaseCommand(action)))
  return sale
}

it('changeDropPhase refuses an unknown drop', () => {
  expect(new TestSale().run(phaseCommand('publish'))).toMatchObject({ outcome: 'not_found', param: 'id' })
})

it.each<[DropPhase, DropAction]>([
  ['draft', 'pause'],
  ['draft', 'resume'],
  ['draft', 'end'],
  ['paused', 'publish'],
  ['ended', 'publish'],
  ['ended', 'pause'],
  ['ended', 'resume'],
  ['draft', 'cancel'],
  ['cancelled', 'publish'],
  ['cancelled', 'resume'],
  ['cancelled', 'end'],
])('changeDropPhase refuses to take a drop that is %s through %s', (phase, action) => {
  const sale = saleIn(phase)
  const { writes } = sale.set
  expect(sale.run(phaseCommand(action))).toMatchObject({ outcome: 'invalid_transition', param: 'id' })
  expect(sale.set.writes).toBe(writes)
})

it.each<[DropPhase, DropAction, DropPhase]>([
  ['draft', 'publish', 'published'],
  ['published', 'pause', 'paused'],
  ['published', 'end', 'ended'],
  ['paused', 'resume', 'published'],
  ['paused', 'end', 'ended'],
  ['published', 'cancel', 'cancelled'],
  ['paused', 'cancel', 'cancelled'],
  ['ended', 'cancel', 'cancelled'],
])('changeDropPhase takes a drop that is %s through %s: %s', (phase, action, next) => {
  const sale = saleIn(phase)
  const before = sale.drop()
  expect(sale.run(phaseCommand(action))).toMatchObject({ outcome: 'drop_saved', drop: { ...before, phase: next } })
  expect(sale.drop()).toEqual({ ...before, phase: next })
})

it.each<[DropPhase, DropAction]>([
  ['published', 'publish'],
  ['published', 'resume'],
  ['paused', 'pause'],
  ['ended', 'end'],
  ['cancelled', 'cancel'],
])('changeDropPhase changes nothing when a drop that is %s is asked to %s', (phase, action) => {
  const sale = saleIn(phase)
  const { writes } = sale.set
  expect(sale.run(phaseCommand(action))).toMatchObject({ outcome: 'drop_saved', drop: { phase } })
  expect(sale.set.writes).toBe(writes)
})

it.each<DropAction>(['pause', 'end', 'cancel'])('changeDropPhase %s leaves holds alone', (action) => {
  const sale = saleIn('published')
  sale.accept(holdCommand('hold_1'), phaseCommand(action))
  expect(sale.hold('hold_1').status).toBe('active')
  expect(sale.counters(shoe)).toEqual([1, 0])
})
