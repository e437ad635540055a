import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mintId } from '@penstock/domain/id.ts'
import { frameBytesMax, handshakeDeadlineMs } from '@penstock/domain/limits.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { Program } from '../program.ts'
import { Load } from './buyers.ts'
import { frame, IpcPeer, kinds, protocol } from './ipc-peer.ts'
import { expectStatus, footprint, openDrop, pay, poll, seededRandom, takeHold } from './shop.ts'

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000)

function lengthPrefix(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

/** MessagePack by hand: these must be wrong in just one way. */
const nil = 0xc0
const list = (...items: number[]): Uint8Array => Uint8Array.from([0x90 + items.length, ...items])

describe('a peer of the writer that does not speak the protocol', () => {
  let box: Box
  let seller: Client
  let socketPath: string

  beforeAll(async () => {
    box = await Box.start({ httpProcesses: 2 })
    seller = new Client(box.url, box.secretKey)
    socketPath = join(box.dataFolder, 'writer.sock')
  })

  afterAll(async () => {
    seller.close()
    await box.stop()
  })

  /** What is sent instead of a greeting. */
  const strangers: [string, Uint8Array][] = [
    ['text', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a frame of length 0', lengthPrefix(0)],
    ['a frame longer than allowed', lengthPrefix(frameBytesMax + 1)],
    ['a frame of 4 GiB', lengthPrefix(0xff_ff_ff_ff)],
    ['an unknown kind', frame(0, list(1, 1, 0))],
    ['another unknown kind', frame(255, list(1, 1, 0))],
    ['commands before the greeting', frame(kinds.commands, list())],
    ['a commit', frame(kinds.commit, list(1, 0x90, 0x90, 0x90))],
    ['a greeting without content', frame(kinds.hello, new Uint8Array())],
    ['a greeting that is no list', frame(kinds.hello, Uint8Array.from([nil]))],
    ['a greeting of two values', frame(kinds.hello, list(1, 1))],
    ['a greeting of texts', frame(kinds.hello, Uint8Array.from([0x93, 0xa1, 0x61, 0xa1, 0x61, 0xa1, 0x61]))],
    ['a greeting of another protocol', frame(kinds.hello, list(protocol + 1, 1, 0))],
    [
      'a greeting with a fraction',
      frame(kinds.hello, Uint8Array.from([0x93, 1, 1, 0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0])),
    ],
    ['a greeting cut off', frame(kinds.hello, Uint8Array.from([0x93, 1]))],
    ['a list of four billion', frame(kinds.hello, Uint8Array.from([0xdd, 0xff, 0xff, 0xff, 0xff]))],
    ['a text of four billion', frame(kinds.hello, Uint8Array.from([0xdb, 0xff, 0xff, 0xff, 0xff]))],
    ['a million nested lists', frame(kinds.hello, new Uint8Array(frameBytesMax - 1).fill(0x91))],
    ['an unused byte of MessagePack', frame(kinds.hello, Uint8Array.from([0xc1]))],
    ['an extension', frame(kinds.hello, Uint8Array.from([0xd4, 0x01, 0x00]))],
  ]

  const command = (fields: object): object => ({ kind: 'release_hold', key: null, holdId: 'x', proof: null, ...fields })
  const newDropId = mintId('drop', Date.now(), randomBytes(10))
  const goodCommand = {
    kind: 'create_drop',
    key: null,
    dropId: newDropId,
    name: 'x',
    description: null,
    image: null,
    currency: 'usd',
    startsAtMs: null,
    endsAtMs: null,
    holdTtlMs: 1_000,
    maxPerCustomer: null,
    latePayment: 'refund',
    metadata: {},
    skus: [{ id: mintId('sku', Date.now(), randomBytes(10)), name: 'x', unitAmountMinor: 1, stock: 1 }],
  }

  /** What is sent after a proper greeting. */
  const impostors: [string, (peer: IpcPeer) => Uint8Array[]][] = [
    ['a second greeting', (peer) => [peer.codec.encodeHello({ protocol, pid: 1, seenSeq: 0, follows: true })]],
    ['a frame for the other direction', () => [frame(kinds.commit, list(1, 0x90, 0x90, 0x90))]],
    ['an unknown kind', () => [frame(77, list())]],
    ['an odd number of values', () => [frame(kinds.commands, list(1))]],
    ['a command that is null', () => [frame(kinds.commands, list(1, nil))]],
    ['a command that is a number', () => [frame(kinds.commands, list(1, 1))]],
    ['a number that is negative and no command', () => [frame(kinds.commands, list(0xff, nil))]],
    ['a list that is cut off', () => [frame(kinds.commands, Uint8Array.from([0x92, 1]))]],
    ['a frame of length 0', () => [lengthPrefix(0)]],
    ['a frame longer than allowed', () => [lengthPrefix(frameBytesMax + 1)]],
    ['an unknown command', (peer) => peer.codec.encodeCommands([{ id: 1, command: command({ kind: 'give_away' }) }])],
    [
      '__proto__ as a command',
      (peer) => peer.codec.encodeCommands([{ id: 1, command: command({ kind: '__proto__' }) }]),
    ],
    ['no kind', (peer) => peer.codec.encodeCommands([{ id: 1, command: {} }])],
    ['a field of the wrong type', (peer) => peer.codec.encodeCommands([{ id: 1, command: command({ holdId: 1 }) }])],
    ['a field missing', (peer) => peer.codec.encodeCommands([{ id: 1, command: { kind: 'release_hold' } }])],
    ['a key that is no key', (peer) => peer.codec.encodeCommands([{ id: 1, command: command({ key: 'k' }) }])],
    [
      'a negative stock',
      (peer) => {
        const skus = [{ id: 'sku_x', name: 'x', unitAmountMinor: 1, stock: -1 }]
        return peer.codec.encodeCommands([{ id: 1, command: { ...goodCommand, skus } }])
      },
    ],
    [
      'an unknown currency',
      (peer) => peer.codec.encodeCommands([{ id: 1, command: { ...goodCommand, currency: 'xxx' } }]),
    ],
    [
      'a fraction of a cent',
      (peer) => {
        const skus = [{ id: 'sku_x', name: 'x', unitAmountMinor: 0.5, stock: 1 }]
        return peer.codec.encodeCommands([{ id: 1, command: { ...goodCommand, skus } }])
      },
    ],
    [
      'a good command and a bad one in one frame',
      (peer) =>
        peer.codec.encodeCommands([goodCommand, command({ holdId: null })].map((bad, id) => ({ id, command: bad }))),
    ],
  ]

  /** Sends, and waits for the writer to hang up; then a sale through the HTTP processes must still work. */
  const expectHangUp = async (peer: IpcPeer, bytes: readonly Uint8Array[]): Promise<void> => {
    const { writer } = box.pids
    const before = footprint(box.databasePath)
    for (const part of bytes) peer.send(part)
    await peer.closed
    expect(peer.kinds).not.toContain(kinds.commit)
    expect(footprint(box.databasePath)).toEqual(before)
    expect(box.pids.writer).toBe(writer)
  }

  it.each(strangers)('%s instead of a greeting: the connection ends', async (_what, bytes) => {
    const peer = await IpcPeer.connect(socketPath)
    await expectHangUp(peer, [bytes])
    expect(peer.kinds.filter((kind) => kind !== kinds.refusal)).toEqual([])
  })

  it.each(impostors)('%s after a greeting: the connection ends', async (_what, makeBytes) => {
    const peer = await IpcPeer.greet(socketPath)
    await expectHangUp(peer, makeBytes(peer))
    expect(peer.kinds).toEqual([kinds.welcome])
  })

  it('random bytes, many times while a sale runs: the sale does not notice', async () => {
    const random = seededRandom(seed)
    const drop = await openDrop(seller, { skus: [{ name: 'One', unit_amount: 1, stock: 100_000 }] })
    const { pids } = box
    const load = new Load({
      url: box.url,
      secretKey: box.secretKey,
      drop,
      buyers: 400,
      connections: 8,
      hasKey: () => false,
    })
    const sale = load.run()
    for (let round = 0; round < 100; round++) {
      const bytes = Buffer.from(
        Array.from({ length: 1 + Math.floor(random() * 2_000) }, () => Math.floor(random() * 256)),
      )
      // The length is right every other time, so that the garbage reaches the decoder.
      const sent = round % 2 === 0 ? frame(round % 4 === 0 ? kinds.commands : kinds.hello, bytes) : bytes
      const peer = await (round % 4 === 0 ? IpcPeer.greet(socketPath) : IpcPeer.connect(socketPath))
      peer.send(sent)
      // A long length that is not followed by its bytes is not wrong yet: those end by themselves.
      if (round % 2 === 0) await peer.closed
      peer.end()
    }
    await sale
    expect([seed, load.failures]).toEqual([seed, []])
    expect(load.payments.length).toBe(400)
    expect(load.slowestMs).toBeLessThan(2_000)
    expect(box.pids).toEqual(pids)
    expect(auditDatabase(box.databasePath)).toEqual([])
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['half a frame', frame(kinds.hello, list(1, 1, 0)).subarray(0, 6)],
  ])('%s, and then silence: the connection ends by itself', async (_what, bytes) => {
    const startMs = performance.now()
    const peer = await IpcPeer.connect(socketPath)
    peer.send(bytes)
    await peer.closed
    expect(performance.now() - startMs).toBeGreaterThan(handshakeDeadlineMs - 100)
    expect(performance.now() - startMs).toBeLessThan(handshakeDeadlineMs + 2_000)
  })

  it('and the sale goes on over the others', async () => {
    const drop = await openDrop(seller)
    expectStatus(await pay(seller, await takeHold(seller, drop)), 201)
    expect((await seller.get(`/v1/drops/${newDropId}`)).status).toBe(404)
    expect(box.output).not.toContain('ended (')
    expect(box.output).toMatch(/sent bytes that are not a frame/)
  })
})

describe('a writer that does not speak the protocol', () => {
  it('does not harm an HTTP process, which waits for a proper one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'penstock-ipc-'))
    const environment = { PENSTOCK_DATA: folder, PENSTOCK_PORT: '0' }
    const answers = [
      randomBytes(64),
      lengthPrefix(0),
      frame(kinds.commit, list()),
      frame(kinds.welcome, list(99, 1, 0, 0)),
    ]
    let connections = 0
    const impostor = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.resume()
      socket.write(answers[connections % answers.length] ?? '')
      connections += 1
    })
    await new Promise<void>((resolve) => {
      impostor.listen(join(folder, 'writer.sock'), resolve)
    })
    const http = Program.start('http', [], environment)
    try {
      await poll('the HTTP process tries again', 20_000, () => connections >= 8)
      expect(http.isRunning).toBe(true)
      const closed = new Promise((resolve) => {
        impostor.close(resolve)
      })
      const writer = Program.start('writer', [], environment)
      try {
        await http.printed(/http ready/)
        await closed
      } finally {
        await writer.stop()
      }
    } finally {
      await http.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
