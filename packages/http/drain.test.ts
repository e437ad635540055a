import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Drain } from './drain.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** `connections` are open and `requests` in flight when the transport closes. */
function startDrain(connections: number, requests: number) {
  const drain = new Drain()
  for (let count = 0; count < connections; count++) drain.connectionOpened()
  for (let count = 0; count < requests; count++) drain.requestStarted()
  const onFinished = vi.fn<() => void>()
  void drain.wait(10_000).then(onFinished)
  return { drain, onFinished }
}

it('Drain wait resolves at once when nothing is connected', async () => {
  const { drain, onFinished } = startDrain(0, 0)
  await vi.advanceTimersByTimeAsync(0)
  expect(onFinished).toHaveBeenCalled()
  expect(drain.isDraining).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

it('Drain wait resolves with the last connection', async () => {
  const { drain, onFinished } = startDrain(2, 0)
  drain.connectionClosed()
  await vi.advanceTimersByTimeAsync(0)
  expect(onFinished).not.toHaveBeenCalled()
  drain.connectionClosed()
  await vi.advanceTimersByTimeAsync(0)
  expect(onFinished).toHaveBeenCalled()
})

it('Drain wait gives idle connections a moment and no more', async () => {
  const { onFinished } = startDrain(2, 0)
  await vi.advanceTimersByTimeAsync(100)
  expect(onFinished).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(100)
  expect(onFinished).toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
})

it('Drain wait resolves with the last answer when idle connections had their moment', async () => {
  const { drain, onFinished } = startDrain(3, 2)
  await vi.advanceTimersByTimeAsync(5_000)
  drain.requestEnded()
  await vi.advanceTimersByTimeAsync(0)
  expect(onFinished).not.toHaveBeenCalled()
  drain.requestEnded()
  await vi.advanceTimersByTimeAsync(0)
  expect(onFinished).toHaveBeenCalled()
})

it('Drain wait resolves after drainMs with requests in flight', async () => {
  const { onFinished } = startDrain(1, 1)
  await vi.advanceTimersByTimeAsync(9_999)
  expect(onFinished).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(onFinished).toHaveBeenCalled()
})
