import { afterAll, beforeAll, expect, it } from 'vitest'
import { Box } from '../box.ts'
import { Program } from '../program.ts'
import { present } from './shop.ts'

/** The courier as a process of a box. */

let box: Box

beforeAll(async () => {
  box = await Box.start({ httpProcesses: 1 })
}, 30_000)

afterAll(() => box.stop())

it('a killed courier is started again', async () => {
  const before = present(box.pids.courier, 'the courier')
  await box.killCourier()
  expect(box.pids.courier).not.toBe(before)
})

it('a second courier waits for the first, and says so when it waits in vain', async () => {
  const second = Program.start('courier', [], { PENSTOCK_DATA: box.dataFolder })
  expect((await second.exited).code).toBe(1)
  expect(second.output).toContain('another courier runs on this data folder')
}, 20_000)
