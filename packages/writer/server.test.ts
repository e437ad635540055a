import { statSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { handshakeDeadlineMs, replyBacklogBytesMax } from '@penstock/domain/limits.ts'
import { fullResult } from '@penstock/protocol/brief-result.ts'
import { Codec } from '@penstock/protocol/codec.ts'
import { encodeFrame, FrameReader, frameKinds } from '@penstock/protocol/frame.ts'
import { protocolVersion } from '@penstock/protocol/messages.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { keyCommand } from '@penstock/engine/test-sale.ts'
import { GroupCommit } from './group-commit.ts'
import { WriterServer } from './server.ts'
import {
  captureCommand,
  dropCommand,
  expireCommand,
  holdCommand,
  publishCommand,
  startMs,
  TestFolder,
} from './test-box.ts'
import type { Socket } from 'node:net'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { CommitMessage, Hello, NumberedCommand, Welcome } from '@penstock/protocol/messages.ts'
import type { Origin } from './server.ts'

let folder: TestFolder
let box: Box
let peers: TestPeer[]

beforeEach(async () => {
  folder = new TestFolder()
  peers = []
  box = new Box()
  await box.server.listen(folder.socket)
})
afterEach(() => {
  vi.useRealTimers()
  for (const peer of peers) peer.socket.destroy()
  box.server.close()
  box.store.close()
  folder.remove()
})

/** The writer as main.ts wires it, except that it does not end the process. */
class Box {
  readonly store = new SqliteStore(folder.database)
  readonly logged: string[] = []
  readonly amnesia: number[] = []
  readonly fatal: unknown[] = []
  /** Called before each submit. */
  beforeSubmit = (): void => undefined
  readonly server = new WriterServer({
    epoch: this.store.epoch,
    seq: () => this.store.seq,
    submit: (command, origin) => {
      this.beforeSubmit()
      return this.commits.submit(command, origin)
    },
    log: (message) => this.logged.push(message),
    onAmnesia: (peerSeq) => this.amnesia.push(peerSeq),
  })
  readonly commits = new GroupCommit<Origin | null>({
    store: this.store,
    clock: () => startMs,
    onCommitted: (batch) => this.server.broadcast(batch),
    onPoisoned: (command) => this.logged.push(`poisoned ${command.kind}`),
    onFatal: (error) => this.fatal.push(error),
  })

  async run(...commands: readonly Command[]): Promise<void> {
    for (const command of commands) this.commits.submit(command, null)
    await this.commits.drained()
  }
}

type Message =
  | { readonly kind: 'welcome'; readonly welcome: Welcome }
  | { readonly kind: 'refusal'; readonly reason: string }
  | { readonly kind: 'commit'; readonly commit: FullCommit; readonly bytes: number }

/** A commit with results as they were before they were sent in brief. */
type FullCommit = Omit<CommitMessage, 'replies'> & {
  readonly replies: readonly { readonly id: number; readonly result: Result }[]
}

/** The other end of the socket, frame by frame. */
class TestPeer {
  readonly socket: Socket
  readonly codec = new Codec()
  readonly closed: Promise<unknown>
  /** Everything received, as it came. */
  readonly chunks: Buffer[] = []
  readonly #messages: Message[] = []
  readonly #commands = new Map<number, Command>()
  #wake = (): void => undefined

  constructor() {
    this.socket = createConnection(folder.socket)
    peers.push(this)
    this.closed = once(this.socket, 'close')
    const reader = new FrameReader((kind, payload) => {
      this.#messages.push(this.#decode(kind, payload))
      this.#wake()
    })
    this.socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk)
      reader.push(chunk)
    })
    this.socket.on('error', () => undefined)
  }

  /** The next message, when it comes. */
  async next(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift()
      if (message !== undefined) return message
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async nextCommit(): Promise<FullCommit> {
    const message = await this.next()
    if (message.kind !== 'commit') throw new Error(`expected a commit, got ${message.kind}`)
    return message.commit
  }

  /** Commits until this command is answered: its result, and the commits that came. */
  async untilReply(id: number): Promise<{ result: Result; commits: FullCommit[] }> {
    const commits: FullCommit[] = []
    for (;;) {
      const commit = await this.nextCommit()
      commits.push(commit)
      const reply = commit.replies.find((each) => each.id === id)
      if (reply !== undefined) return { result: reply.result, commits }
    }
  }

  hello(change: Partial<Hello> = {}): this {
    this.socket.write(
      this.codec.encodeHello({ protocol: protocolVersion, pid: 7, seenSeq: 0, follows: true, ...change }),
    )
    return this
  }

  /** Commands that will be sent: their results may come in brief. */
  encode(...commands: readonly NumberedCommand[]): Buffer[] {
    for (const { id, command } of commands) this.#commands.set(id, command)
    return this.codec.encodeCommands(commands)
  }

  send(...commands: readonly NumberedCommand[]): void {
    for (const frame of this.encode(...commands)) this.socket.write(frame)
  }

  async call(id: number, command: Command): Promise<Result> {
    this.send({ id, command })
    return (await this.untilReply(id)).result
  }

  #inFull(commit: CommitMessage): FullCommit {
    const replies = commit.replies.map(({ id, result }) => {
      const command = this.#commands.get(id)
      if (command === undefined) throw new Error(`a reply to ${id}, which was not sent`)
      return { id, result: fullResult(command, result) }
    })
    return { ...commit, replies }
  }

  #decode(kind: number, payload: Buffer): Message {
    switch (kind) {
      case frameKinds.welcome:
        return { kind: 'welcome', welcome: this.codec.decodeWelcome(payload) }
      case frameKinds.refusal:
        return { kind: 'refusal', reason: this.codec.decodeRefusal(payload).reason }
      case frameKinds.commit:
        return { kind: 'commit', commit: this.#inFull(this.codec.decodeCommit(payload)), bytes: payload.length }
      default:
        throw new Error(`unexpected frame kind ${kind}`)
    }
  }
}

/** A peer past its handshake. */
async function connect(): Promise<TestPeer> {
  const peer = new TestPeer().hello()
  expect(await peer.next()).toMatchObject({ kind: 'welcome' })
  return peer
}

const openSale = (): Promise<void> => box.run(dropCommand('drop_1'), publishCommand('drop_1'))

it('WriterServer listens on a socket for its own user only, in place of a stale file', async () => {
  expect(statSync(folder.socket).mode & 0o777).toBe(0o600)
  const path = `${folder.socket}2`
  writeFileSync(path, 'stale')
  const second = new WriterServer({
    epoch: 1,
    seq: () => 0,
    submit: () => false,
    log: () => undefined,
    onAmnesia: () => undefined,
  })
  await second.listen(path)
  expect(statSync(path).isSocket()).toBe(true)
  second.close()
})

it('WriterServer welcomes a peer with protocol, epoch and its last commit', async () => {
  await openSale()
  const peer = new TestPeer().hello({ seenSeq: box.store.seq })
  const { epoch, seq } = box.store
  const welcome = { protocol: protocolVersion, epoch, seq, slot: expect.any(Number) as number }
  expect(await peer.next()).toEqual({ kind: 'welcome', welcome })
  expect(box.store.seq).toBe(1)
})

it('WriterServer tells a peer that does not follow of its own replies only: it costs nothing per commit', async () => {
  await openSale()
  const quiet = new TestPeer().hello({ seenSeq: 0, follows: false })
  await quiet.next()
  const busy = new TestPeer().hello({ seenSeq: 0 })
  await busy.next()
  for (const id of [1, 2, 3]) {
    busy.send({ id, command: holdCommand(`hold_quiet_${id}`) })
    await busy.untilReply(id)
  }
  quiet.send({ id: 9, command: holdCommand('hold_quiet_9') })
  const { commits } = await quiet.untilReply(9)
  expect(commits.map(({ replies }) => replies.map(({ id }) => id))).toEqual([[9]])
  expect((await busy.nextCommit()).replies).toEqual([])
})

it.each([0, protocolVersion + 1])(
  'WriterServer refuses protocol %i with a reason and ends the connection',
  async (protocol) => {
    const peer = new TestPeer().hello({ protocol })
    const reason = `protocol ${protocol}, this writer speaks ${protocolVersion}: run one release`
    expect(await peer.next()).toEqual({ kind: 'refusal', reason })
    await peer.closed
    expect(box.logged).toEqual([`process 7 refused: ${reason}`])
    expect(box.amnesia).toEqual([])
  },
)

it('WriterServer refuses a peer that has seen a later commit, and says so: acknowledged payments are missing', async () => {
  await openSale()
  const peer = new TestPeer().hello({ seenSeq: 2 })
  const reason = 'this database is at commit 1, but commit 2 was acknowledged'
  expect(await peer.next()).toEqual({ kind: 'refusal', reason })
  await peer.closed
  expect(box.amnesia).toEqual([2])
})

it.each<[string, (peer: TestPeer) => void]>([
  ['commands', (peer) => peer.send({ id: 1, command: expireCommand })],
  ['a welcome', (peer) => peer.socket.write(new Codec().encodeWelcome({ protocol: 1, epoch: 1, seq: 1, slot: 1 }))],
  ['a frame of no known kind', (peer) => peer.socket.write(Buffer.from('00000001ff', 'hex'))],
  ['a hello that cannot be read', (peer) => peer.socket.write(encodeFrame(frameKinds.hello, Buffer.from('c1', 'hex')))],
  ['a length of 4 GiB', (peer) => peer.socket.write(Buffer.from('ffffffff', 'hex'))],
  ['HTTP', (peer) => peer.socket.write('GET / HTTP/1.1\r\n\r\n')],
])('WriterServer closes a connection that begins with %s', async (_, greet) => {
  const peer = new TestPeer()
  greet(peer)
  await peer.closed
  expect(peer.chunks).toEqual([])
  expect(box.logged).toEqual([expect.stringContaining('unknown process disconnected')])
  expect(box.commits.depth).toBe(0)
  await connect()
})

it('WriterServer closes a connection that says nothing within handshakeDeadlineMs', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const peer = new TestPeer()
  await once(peer.socket, 'connect')
  // One round trip of another peer: by then the first one is accepted.
  await connect()
  vi.advanceTimersByTime(handshakeDeadlineMs - 1)
  expect(box.logged).toEqual([])
  vi.advanceTimersByTime(1)
  await peer.closed
  expect(box.logged).toEqual(['unknown process disconnected: no greeting in time'])
})

it.each<[string, (peer: TestPeer) => void]>([
  ['an impossible length', (peer) => peer.socket.write(Buffer.from('00000000', 'hex'))],
  ['a second hello', (peer) => peer.hello()],
  ['a commit', (peer) => peer.socket.write(Buffer.from('0000000105', 'hex'))],
  ['commands that are no MessagePack', (peer) => peer.socket.write(Buffer.from('0000000204c1', 'hex'))],
  ['an unknown command', (peer) => peer.send({ id: 1, command: { kind: 'drop_table', key: null } as never })],
  ['a command with a fraction', (peer) => peer.send({ id: 1, command: { ...captureCommand('h'), amountMinor: 0.5 } })],
])('WriterServer closes only the connection that sends %s', async (_, misbehave) => {
  await openSale()
  const good = await connect()
  const bad = await connect()
  expect(await bad.call(1, holdCommand('hold_1'))).toMatchObject({ outcome: 'hold_created' })
  misbehave(bad)
  await bad.closed
  expect(box.logged).toEqual(['process 7 disconnected: sent bytes that are not a frame'])
  expect(await good.call(1, captureCommand('hold_1'))).toMatchObject({ outcome: 'payment_recorded' })
})

it('WriterServer understands commands that arrive byte by byte', async () => {
  await openSale()
  const peer = await connect()
  peer.socket.setNoDelay(true)
  for (const frame of peer.encode({ id: 3, command: holdCommand('hold_1') })) {
    for (const byte of frame) await new Promise((resolve) => peer.socket.write(Buffer.from([byte]), resolve))
  }
  expect((await peer.untilReply(3)).result).toMatchObject({ outcome: 'hold_created' })
})

it('WriterServer tells every peer the counters of a commit, and each its own replies only', async () => {
  await openSale()
  const [first, second, third] = [await connect(), await connect(), await connect()]
  first.send({ id: 1, command: holdCommand('hold_1') }, { id: 2, command: holdCommand('hold_2') })
  second.send({ id: 1, command: holdCommand('hold_3') })

  const held = async (peer: TestPeer, units: number): Promise<FullCommit[]> => {
    const commits: FullCommit[] = []
    while (commits.at(-1)?.skus[0]?.held !== units) commits.push(await peer.nextCommit())
    return commits
  }
  const replies = (commits: readonly FullCommit[]): unknown[] =>
    commits.flatMap((commit) => commit.replies.map(({ id, result }) => [id, 'hold' in result && result.hold.id]))

  const heard = [await held(first, 3), await held(second, 3), await held(third, 3)]
  expect(heard.map(replies)).toEqual([
    [
      [1, 'hold_1'],
      [2, 'hold_2'],
    ],
    [[1, 'hold_3']],
    [],
  ])
  for (const commits of heard) {
    expect(commits.at(-1)).toMatchObject({
      seq: box.store.seq,
      skus: [{ skuId: 'sku_of_drop_1', stock: 100_000, held: 3, sold: 0 }],
      dropIds: [],
    })
  }
})

it('WriterServer names new and changed drops to every peer, without counters that are read with them', async () => {
  const [asking, other] = [await connect(), await connect()]
  await asking.call(1, dropCommand('drop_1'))
  expect(await other.nextCommit()).toEqual({
    seq: 1,
    skus: [],
    dropIds: ['drop_1'],
    apiKeysChanged: false,
    replies: [],
  })
})

it('WriterServer sends a batch that changed nothing to those who wait for a reply, and to nobody else', async () => {
  await openSale()
  const [asking, other] = [await connect(), await connect()]
  await box.run(expireCommand)
  expect(await asking.call(1, holdCommand('hold_1', { dropId: 'drop_none' }))).toMatchObject({ outcome: 'not_found' })
  await box.run(expireCommand)
  await asking.call(2, holdCommand('hold_1'))
  // The first the other one hears of is the hold.
  expect(await other.nextCommit()).toMatchObject({ seq: 2, skus: [{ held: 1 }], replies: [] })
})

it('WriterServer tells every peer of a commit without counters or drops: somebody may wait for its number', async () => {
  const [asking, other] = [await connect(), await connect()]
  expect(await asking.call(1, captureCommand('hold_none'))).toMatchObject({ payment: { status: 'unmatched' } })
  expect(await other.nextCommit()).toEqual({ seq: 1, skus: [], dropIds: [], apiKeysChanged: false, replies: [] })
})

it('WriterServer tells every peer that API keys changed', async () => {
  const [asking, other] = [await connect(), await connect()]
  await asking.call(1, keyCommand('key_1'))
  await asking.call(2, keyCommand('key_2'))
  expect(await asking.call(3, { kind: 'revoke_key', key: null, apiKeyId: 'key_1' })).toMatchObject({
    outcome: 'api_key_saved',
  })
  const heard = [await other.nextCommit(), await other.nextCommit(), await other.nextCommit()]
  expect(heard.map(({ seq, apiKeysChanged }) => [seq, apiKeysChanged])).toEqual([
    [1, true],
    [2, true],
    [3, true],
  ])
})

it('WriterServer answers overloaded when the commit queue is full, and goes on', async () => {
  await openSale()
  const peer = await connect()
  box.beforeSubmit = () => {
    while (box.commits.submit(expireCommand, null)) continue
  }
  expect(await peer.call(1, holdCommand('hold_1'))).toMatchObject({ outcome: 'overloaded' })
  box.beforeSubmit = () => undefined
  await box.commits.drained()
  expect(await peer.call(2, holdCommand('hold_1'))).toMatchObject({ outcome: 'hold_created' })
})

it('WriterServer survives a peer that leaves before its reply', async () => {
  await openSale()
  const [leaving, staying] = [await connect(), await connect()]
  box.beforeSubmit = () => leaving.socket.destroy()
  leaving.send({ id: 1, command: holdCommand('hold_1') })
  await leaving.closed
  box.beforeSubmit = () => undefined
  staying.send({ id: 1, command: holdCommand('hold_2') })
  const { commits } = await staying.untilReply(1)
  expect(commits.at(-1)?.skus).toMatchObject([{ held: 2 }])
  expect(box.fatal).toEqual([])
})

it('WriterServer disconnects a peer that stopped reading before its backlog has no bound; others go on', async () => {
  await openSale()
  const [stalled, good] = [await connect(), await connect()]
  stalled.socket.pause()
  const dropIds = Array.from({ length: 20_000 }, (_, index) => `drop_${String(index).padStart(26, '0')}`)
  const bytes = 20_000 * 32
  let { seq } = box.store
  for (let sent = 0; sent < 2 * replyBacklogBytesMax && box.logged.length === 0; sent += bytes) {
    seq += 1
    box.server.broadcast({ seq, changes: { skus: [], dropIds, apiKeysChanged: false }, replies: [] })
    expect((await good.nextCommit()).seq).toBe(seq)
    good.chunks.length = 0
  }
  expect(box.logged).toEqual(['process 7 disconnected: reads too slowly'])
  expect((await good.call(5, holdCommand('hold_1'))).outcome).toBe('hold_created')
})

it('WriterServer can tell of a batch that makes more SKUs than a frame could list', async () => {
  const peer = await connect()
  const count = 60
  const skusOf = (dropId: string) =>
    Array.from({ length: 500 }, (_, index) => ({
      id: `sku_${dropId}_${String(index).padStart(20, '0')}`,
      name: 'Shoe',
      unitAmountMinor: 100,
      stock: 1_000,
      maxPerOrder: null,
    }))
  await box.run(
    ...Array.from({ length: count }, (_, index) => dropCommand(`drop_${index}`, { skus: skusOf(`drop_${index}`) })),
  )
  expect(box.fatal).toEqual([])
  expect(box.logged).toEqual([])
  expect((await peer.nextCommit()).dropIds).toHaveLength(count)
})

it('WriterServer close ends every connection behind its replies', async () => {
  await openSale()
  const [asking, idle] = [await connect(), await connect()]
  box.beforeSubmit = () => {
    box.beforeSubmit = () => undefined
    setImmediate(() => void box.commits.drained().then(() => box.server.close()))
  }
  asking.send({ id: 1, command: holdCommand('hold_1') })
  expect((await asking.untilReply(1)).result).toMatchObject({ outcome: 'hold_created' })
  await Promise.all([asking.closed, idle.closed])
})

it('WriterServer takes no more commands once it closes: the store behind it may be gone', async () => {
  await openSale()
  const peer = await connect()
  let submitted = 0
  box.beforeSubmit = () => {
    submitted += 1
  }
  // On its way when the connection ends.
  peer.send({ id: 1, command: holdCommand('hold_1') })
  box.server.close()
  await peer.closed
  expect(submitted).toBe(0)
})

it('WriterServer writes what engine and store make without the names of their fields', async () => {
  await openSale()
  const peer = await connect()
  const key = { id: 'k', fingerprint: 'f' }
  const address = { line1: '1 Way', line2: null, city: 'Hue', state: null, postalCode: null, country: 'VN' }
  const hold = holdCommand('hold_1', { key })
  const customer = { ...hold.customer, shippingAddress: address }
  const calls: readonly Command[] = [
    { ...hold, customer },
    { ...hold, customer },
    captureCommand('hold_1'),
    captureCommand('hold_1'),
    { ...captureCommand('hold_1'), key: null, paymentId: 'pay_2' },
    holdCommand('hold_2', { dropId: 'drop_none' }),
    holdCommand('hold_3'),
    { kind: 'release_hold', key: null, holdId: 'hold_3', proof: null },
    { kind: 'release_hold', key: null, holdId: 'hold_3', proof: null },
  ]
  const results: Result[] = []
  for (const [id, command] of calls.entries()) results.push(await peer.call(id, command))
  expect(results.map(({ outcome }) => outcome).join(' ')).toBe(
    'hold_created hold_created payment_recorded payment_recorded payment_recorded not_found hold_created hold_released hold_released',
  )
  const names = (
    'outcome replayed duplicate param detail dropId lines amountMinor currency customer clientSecret createdMs ' +
    'expiresMs status skuId quantity unitAmountMinor email phone externalId shippingAddress line1 postalCode country ' +
    'provider providerPaymentId holdId orderId reason'
  ).split(' ')
  const bytes = Buffer.concat(peer.chunks).toString('latin1')
  expect(names.filter((name) => bytes.includes(name))).toEqual([])
})
