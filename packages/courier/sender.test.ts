import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { webhookAnswerBytesMax } from '@penstock/domain/limits.ts'
import { guardedLookup } from './guarded-lookup.ts'
import { Sender } from './sender.ts'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function serve(listener: RequestListener): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return { port: (server.address() as AddressInfo).port, server }
}

function openSender(allowPrivate: boolean, timeoutMs = 1_000): Sender {
  const here = guardedLookup(allowPrivate ? () => true : undefined, (_, __, answered) =>
    answered(null, [{ address: '127.0.0.1', family: 4 }]),
  )
  const sender = new Sender({ rules: { allowPrivate, httpsOnly: false }, timeoutMs, clock: () => 0 }, here)
  closers.push(() => sender.close())
  return sender
}

const never = new AbortController().signal

it.each<[string, (port: number) => string]>([
  ['an address', (port) => `http://127.0.0.1:${port}/`],
  ['an address of IPv6', (port) => `http://[::ffff:127.0.0.1]:${port}/`],
  ['a name that leads there', (port) => `http://shop.example:${port}/`],
])('Sender does not connect inside the network by %s', async (_, url) => {
  let connections = 0
  const { port, server } = await serve((_request, response) => response.end())
  server.on('connection', () => (connections += 1))
  const answer = await openSender(false).send(url(port), {}, '{}', never)
  expect([answer, connections]).toEqual([{ status: null, fault: 'address_refused', retryAfterMs: null }, 0])
  expect(await openSender(true).send(url(port), {}, '{}', never)).toMatchObject({ status: 200, fault: null })
})

it('Sender keeps its connection, and opens another when that was closed meanwhile', async () => {
  const sockets = new Set<Socket>()
  const { port } = await serve((request, response) => {
    sockets.add(request.socket)
    response.end()
  })
  const sender = openSender(true)
  const send = () => sender.send(`http://shop.example:${port}/`, {}, '{}', never)
  expect([await send(), await send()]).toMatchObject([{ fault: null }, { fault: null }])
  expect(sockets.size).toBe(1)
  for (const socket of sockets) socket.destroy()
  expect(await send()).toMatchObject({ status: 200, fault: null })
  expect(sockets.size).toBe(2)
})

it('Sender cuts an endless answer off: its head was enough', async () => {
  let written = 0
  const { port } = await serve((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(16_384))) written += 16_384
    }
    response.on('drain', more)
    more()
  })
  expect(await openSender(true).send(`http://shop.example:${port}/`, {}, '{}', never)).toMatchObject({ status: 200 })
  expect(written).toBeLessThan(webhookAnswerBytesMax * 200)
})

it.each<[string, RequestListener]>([
  ['says nothing', () => {}],
  ['never ends its answer', (_, response) => void response.write('x')],
])('Sender gives up on a receiver that %s', async (_, listener) => {
  const { port } = await serve(listener)
  const answer = await openSender(true, 100).send(`http://shop.example:${port}/`, {}, '{}', never)
  expect(answer).toEqual({ status: null, fault: 'timeout', retryAfterMs: null })
})

it('Sender gives up on a receiver that wants to speak another protocol', async () => {
  const { port, server } = await serve(() => {})
  server.on('connection', (socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n')
  })
  const answer = await openSender(true).send(`http://shop.example:${port}/`, {}, '{}', never)
  expect(answer).toEqual({ status: null, fault: 'connection', retryAfterMs: null })
})

it('Sender is broken off by its caller', async () => {
  const stop = new AbortController()
  const { port } = await serve(() => stop.abort())
  const answer = await openSender(true).send(`http://shop.example:${port}/`, {}, '{}', stop.signal)
  expect(answer).toEqual({ status: null, fault: 'connection', retryAfterMs: null })
})

it('Sender gives up on a name nobody answers for', async () => {
  const lookup = guardedLookup(
    () => true,
    () => {},
  )
  const sender = new Sender({ rules: { allowPrivate: true, httpsOnly: false }, timeoutMs: 100, clock: () => 0 }, lookup)
  closers.push(() => sender.close())
  expect(await sender.send('http://silent.example/', {}, '{}', never)).toMatchObject({ fault: 'timeout' })
})
