import { expect, test } from 'vitest'
import { chooseGenerators, sendsOf } from './choice.ts'
import type { PlanKind } from './generator.ts'

const all = (['wrk', 'autocannon', 'own'] as const).map((name) => ({ name, sends: sendsOf[name] }))

test.each<[PlanKind, number, boolean, string[], string[]]>([
  ['variable', 0, false, ['wrk'], []],
  ['mix', 1, false, ['own'], []],
  ['mix', 0, true, ['wrk', 'own'], ['autocannon']],
  ['constant', 0, true, ['wrk', 'autocannon', 'own'], []],
])('chooseGenerators for a %s plan, from the one at %i on, each: %s', (kind, from, isEach, chosen, unable) => {
  const choice = chooseGenerators(kind, all.slice(from), isEach)
  expect(choice.chosen.map(({ name }) => name)).toEqual(chosen)
  expect(choice.unable.map(({ name }) => name)).toEqual(unable)
})
