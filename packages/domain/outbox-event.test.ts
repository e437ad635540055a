import { expect, it } from 'vitest'
import { eventId, eventSeq } from './outbox-event.ts'

it.each([1, 42, 999_999_999_999_999])('eventSeq reads what eventId wrote: %i', (seq) => {
  expect(eventSeq(eventId(seq))).toBe(seq)
})

it.each(['', 'evt_', 'evt_0', 'evt_01', 'evt_1.5', 'evt_1x', 'le_1', '1', 'evt_9999999999999999'])(
  'eventSeq does not take %j for an id',
  (text) => {
    expect(eventSeq(text)).toBeNull()
  },
)
