import { expect, test } from 'vitest'
import { caveats } from './caveats.ts'
import type { Phase } from './phase.ts'

const cpu = { generator: 0.2, http: 0.5, writer: 0.5, others: 0.14, idle: 0.6 }

function phase(fields: { run?: number; others?: number; ranOut?: boolean; violation?: string }): Phase {
  const { run = 1, others = 0, ranOut = false, violation = null } = fields
  const measured = { scenario: 'payments', run, violation, cpu: { ...cpu, others }, load: { elapsedMs: 4_123, ranOut } }
  return measured as unknown as Phase
}

test.each([
  ['a quiet phase', phase({ others: 0.14 }), []],
  ['a noisy one', phase({ others: 0.15 }), ['NOISY: payments, run 1: others used 0.15 cores.']],
  ['a short one', phase({ ranOut: true }), ['SHORT: payments, run 1: its prepared requests were used up after 4.1 s.']],
  ['a warm-up', phase({ run: 0, ranOut: true, others: 1 }), []],
  ['a void one, which is left out anyway', phase({ violation: 'x', ranOut: true }), []],
])('caveats of %s', (_, measured, expected) => {
  expect(caveats([measured], ({ scenario }) => scenario)).toEqual(expected)
})
