import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Codec } from './codec.ts'
import { FrameReader, frameKinds } from './frame.ts'
import { protocolVersion } from './messages.ts'
import { WriterClient } from './writer-client.ts'
import type { Server, Socket } from 'node:net'
import type { Command } from '@penstock/domain/command.ts'
import type { Reply } from './messages.ts'

const command = (count: number): Command => ({ kind: 'release_hold', key: null, holdId: `hold_${count}`, proof: null })

let folder: string
let server: Server
let client: WriterClient
/** The numbers of the commands that each connection was sent. */
let sent: number[][]
/** What the other end does once commands have come. */
let act: (
  connection: number,
  socket: Socket,
  answer: (ids: readonly number[], result?: Reply['result']) => void,
) => void
const replies = new Map<number, boolean>()

/** The other end of the line as the writer speaks it. It decides nothing: it answers, or dies. */
function serve(socket: Socket): void {
  const codec = new Codec()
  const ids: number[] = []
  const connection = sent.push(ids) - 1
  const reader = new FrameReader((kind, payload) => {
    if (kind === frameKinds.hello) {
      codec.decodeHello(payload)
      return void socket.write(codec.encodeWelcome({ protocol: protocolVersion, epoch: 1, seq: 0, slot: 0 }))
    }
    ids.push(...codec.decodeCommands(payload).map(({ id }) => id))
    act(connection, socket, (answered, result) => {
      const results = answered.map((id): Reply => ({
        id,
        result: result ?? { outcome: 'holds_expired', replayed: false, count: id },
      }))
      const commit = { seq: 1, skus: [], dropIds: [], apiKeysChanged: false, replies: results }
      for (const frame of codec.encodeCommit(commit)) socket.write(frame)
    })
  })
  socket.on('data', (chunk) => reader.push(Buffer.from(chunk)))
  socket.on('error', () => undefined)
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-client-'))
  const path = join(folder, 'writer.sock')
  sent = []
  replies.clear()
  server = createServer(serve).listen(path)
  await once(server, 'listening')
  const connected = Promise.withResolvers<void>()
  client = new WriterClient({
    path,
    pid: 1,
    follows: true,
    clock: Date.now,
    random: () => 0,
    log: () => undefined,
    onConnected: () => connected.resolve(),
    onCommit: () => undefined,
  })
  client.connect()
  await connected.promise
})

afterEach(() => {
  client.close()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Resolves with whether there was a result: false is unknown. */
function submit(count: number): Promise<boolean> {
  return new Promise((resolve) => {
    client.submit(command(count), (reply) => {
      replies.set(count, reply !== null)
      resolve(reply !== null)
    })
  })
}

it('WriterClient sends what was under way again when the connection is lost once', async () => {
  act = (connection, socket, answer) => {
    if (connection === 0) socket.destroy()
    else answer(sent[connection] ?? [])
  }
  expect(await Promise.all([submit(1), submit(2)])).toEqual([true, true])
  expect(sent).toEqual([
    [1, 2],
    [1, 2],
  ])
})

it('WriterClient sends a command again whose reply cannot be its own, and drops that connection', async () => {
  act = (connection, _, answer) => answer(sent[connection] ?? [], connection === 0 ? [null, 1] : undefined)
  expect(await submit(1)).toBe(true)
  expect(sent).toEqual([[1], [1]])
})

it('WriterClient gives up what was under way in two losses, never sends it again, and keeps what came between', async () => {
  const late: Promise<boolean>[] = []
  act = (connection, socket, answer) => {
    if (connection === 0) return socket.destroy()
    const ids = sent[connection] ?? []
    if (!ids.includes(1)) return answer(ids)
    if (late.length === 0) late.push(submit(2))
    // Dies of the first command once it has the second, too.
    if (ids.includes(2)) socket.destroy()
  }
  expect(await submit(1)).toBe(false)
  expect(await Promise.all(late)).toEqual([true])
  expect([...replies]).toEqual([
    [1, false],
    [2, true],
  ])
  expect(sent).toEqual([[1], [1, 2], [2]])
})
