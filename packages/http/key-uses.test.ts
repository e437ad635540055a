import { expect, it } from 'vitest'
import { reportKeyUses } from './key-uses.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { OnReply } from '@penstock/protocol/writer-client.ts'

const uses = [{ apiKeyId: 'key_1', usedMs: 5 }]

/** A line to a writer that takes commands or not; `answer` answers the last. */
function openLine({ isConnected = true, takes = true } = {}) {
  const sent: Command[] = []
  let onReply: OnReply | null = null
  const submit = (command: Command, reply: OnReply): boolean => {
    sent.push(command)
    onReply = reply
    return takes
  }
  return { writer: { isConnected, submit }, sent, answer: () => onReply?.(null) }
}

it('reportKeyUses sends one command with all uses and waits for its answer', async () => {
  const { writer, sent, answer } = openLine()
  let done = false
  const report = reportKeyUses({ takeUses: () => uses }, writer).then(() => (done = true))
  expect(sent).toEqual([{ kind: 'touch_keys', key: null, uses }])
  await Promise.resolve()
  expect(done).toBe(false)
  answer()
  await report
})

it('reportKeyUses sends nothing when no key was used', async () => {
  const { writer, sent } = openLine()
  await reportKeyUses({ takeUses: () => [] }, writer)
  expect(sent).toEqual([])
})

it('reportKeyUses does not wait when the line is full', async () => {
  const { writer, sent } = openLine({ takes: false })
  await reportKeyUses({ takeUses: () => uses }, writer)
  expect(sent).toHaveLength(1)
})

it('reportKeyUses without a writer leaves the uses for the next report', async () => {
  const { writer, sent } = openLine({ isConnected: false })
  const takeUses = (): never => {
    throw new Error('taken')
  }
  await reportKeyUses({ takeUses }, writer)
  expect(sent).toEqual([])
})
