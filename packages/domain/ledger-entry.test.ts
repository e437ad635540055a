import { expect, it } from 'vitest'
import { ledgerEntryId, ledgerEntrySeq } from './ledger-entry.ts'

it.each([1, 42, 999_999_999_999_999])('ledgerEntrySeq reads what ledgerEntryId wrote: %i', (seq) => {
  expect(ledgerEntrySeq(ledgerEntryId(seq))).toBe(seq)
})

it.each(['', 'le_', 'le_0', 'le_01', 'le_-1', 'le_1.5', 'le_1x', 'xle_1', '1', 'le_9999999999999999'])(
  'ledgerEntrySeq does not take %j for an id',
  (text) => {
    expect(ledgerEntrySeq(text)).toBeNull()
  },
)
