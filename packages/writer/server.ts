import { createServer } from 'node:net'
import { chmodSync, rmSync } from 'node:fs'
import { handshakeDeadlineMs, replyBacklogBytesMax, skusPerCommitMax } from '@penstock/domain/limits.ts'
import { rejected } from '@penstock/domain/result.ts'
import { briefResult } from '@penstock/protocol/brief-result.ts'
import { Codec } from '@penstock/protocol/codec.ts'
import { FrameError, FrameReader, frameKinds } from '@penstock/protocol/frame.ts'
import { protocolVersion } from '@penstock/protocol/messages.ts'
import { IdSlots } from './id-slots.ts'
import type { Server, Socket } from 'node:net'
import type { Command } from '@penstock/domain/command.ts'
import type { Reply, SkuCounters } from '@penstock/protocol/messages.ts'
import type { CommittedBatch } from './group-commit.ts'

/** Where a command came from, and so where its result goes. */
export interface Origin {
  readonly peer: Peer
  readonly id: number
}

export interface WriterServerDeps {
  readonly epoch: number
  /** The last durable commit. */
  readonly seq: () => number
  /** False: the commit queue is full. */
  readonly submit: (command: Command, origin: Origin) => boolean
  readonly log: (message: string, error?: unknown) => void
  /** A peer has seen a commit that this database does not have: serving would deny an acknowledged payment. */
  readonly onAmnesia: (peerSeq: number) => void
}

const nothingChanged = { skus: [], dropIds: [], apiKeysChanged: false } as const

/** The writer's end of the IPC: accepts HTTP processes on a Unix socket, takes commands, broadcasts commits. */
export class WriterServer {
  readonly #deps: WriterServerDeps
  readonly #server: Server
  readonly #peers = new Set<Peer>()
  readonly #slots: IdSlots
  /** The last commit the peers were told of. */
  #sentSeq: number

  constructor(deps: WriterServerDeps) {
    this.#deps = deps
    this.#sentSeq = deps.seq()
    this.#slots = new IdSlots(deps.epoch)
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** Listens on `path`, readable by this user only. The caller holds the writer lock, so a file there is stale. */
  listen(path: string): Promise<void> {
    rmSync(path, { force: true })
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ path, backlog: 511 }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => this.#deps.log('the socket of the writer failed', error))
        chmodSync(path, 0o600)
        resolve()
      })
    })
  }

  /**
   * Sends one commit to every process that follows: the changes to all of them, to each the replies to its own commands.
   * A batch that changed nothing, and a process that does not follow, get replies only. SKUs of new and changed drops are left out:
   * the peers read those drops again anyway, and a frame could not hold the SKUs of many new drops.
   */
  broadcast(batch: CommittedBatch<Origin | null>): void {
    const replies = new Map<Peer, Reply[]>()
    for (const { command, origin, result } of batch.replies) {
      if (origin === null) continue
      const reply = { id: origin.id, result: briefResult(command, result) }
      const own = replies.get(origin.peer)
      if (own === undefined) replies.set(origin.peer, [reply])
      else own.push(reply)
    }
    const { changes } = batch
    const { apiKeysChanged } = changes
    const readAgain = new Set(changes.dropIds)
    // Too many to list in a frame: the peers read them from the database.
    if (changes.skus.length > skusPerCommitMax) for (const { dropId } of changes.skus) readAgain.add(dropId)
    const dropIds = [...readAgain]
    const skus = changes.skus
      .filter(({ dropId }) => !readAgain.has(dropId))
      .map(({ id, stock, held, sold }): SkuCounters => ({ skuId: id, stock, held, sold }))
    const isNew = batch.seq > this.#sentSeq
    this.#sentSeq = batch.seq
    for (const peer of this.#peers) {
      const own = replies.get(peer)
      if ((isNew && peer.follows) || own !== undefined)
        peer.sendCommit({ seq: batch.seq, skus, dropIds, apiKeysChanged, replies: own ?? [] })
    }
  }

  /** Stops accepting and ends every connection once its replies are written. */
  close(): void {
    this.#server.close()
    for (const peer of this.#peers) peer.end()
  }

  #accept(socket: Socket): void {
    const peer = new Peer(socket, this.#deps, this.#slots, {
      onReady: () => void this.#peers.add(peer),
      onClosed: () => void this.#peers.delete(peer),
    })
  }
}

/** One connected HTTP process. Whatever it sends, the worst outcome is that this connection closes. */
export class Peer {
  readonly #socket: Socket
  readonly #deps: WriterServerDeps
  readonly #codec = new Codec()
  readonly #slots: IdSlots
  readonly #onReady: () => void
  #mode: 'greeting' | 'ready' | 'closed' = 'greeting'
  #name = 'unknown process'
  #slot: number | null = null
  #follows = false
  readonly #deadline: NodeJS.Timeout

  constructor(
    socket: Socket,
    deps: WriterServerDeps,
    slots: IdSlots,
    events: { onReady: () => void; onClosed: () => void },
  ) {
    this.#socket = socket
    this.#deps = deps
    this.#slots = slots
    this.#onReady = events.onReady
    this.#deadline = setTimeout(() => this.#drop('no greeting in time'), handshakeDeadlineMs)
    const reader = new FrameReader((kind, payload) => this.#onFrame(kind, payload))
    socket.on('data', (chunk: Buffer) => {
      if (this.#mode === 'closed') return
      try {
        reader.push(chunk)
      } catch (error) {
        this.#drop('sent bytes that are not a frame', error)
      }
    })
    socket.on('error', (error) => this.#drop('connection failed', error))
    socket.on('close', () => {
      this.#mode = 'closed'
      clearTimeout(this.#deadline)
      if (this.#slot !== null) this.#slots.free(this.#slot)
      events.onClosed()
    })
  }

  /** Whether it is told of commits that have no reply to it. */
  get follows(): boolean {
    return this.#follows
  }

  sendCommit(commit: Parameters<Codec['encodeCommit']>[0]): void {
    if (this.#mode !== 'ready') return
    for (const frame of this.#codec.encodeCommit(commit)) this.#socket.write(frame)
    if (this.#socket.writableLength > replyBacklogBytesMax) this.#drop('reads too slowly')
  }

  /** Ends the connection behind what was written. Commands that still arrive are not taken: nobody could answer. */
  end(): void {
    this.#mode = 'closed'
    this.#socket.end()
  }

  #onFrame(kind: number, payload: Buffer): void {
    if (this.#mode === 'closed') return
    if (this.#mode === 'greeting') {
      if (kind !== frameKinds.hello) throw new FrameError(`frame kind ${kind} before the greeting`)
      this.#greet(payload)
      return
    }
    if (kind !== frameKinds.commands) throw new FrameError(`unexpected frame kind ${kind}`)
    const refused: Reply[] = []
    for (const { id, command } of this.#codec.decodeCommands(payload)) {
      if (this.#deps.submit(command, { peer: this, id })) continue
      refused.push({ id, result: rejected('overloaded', null, 'The writer has more commands waiting than it may.') })
    }
    if (refused.length > 0) this.sendCommit({ seq: this.#deps.seq(), ...nothingChanged, replies: refused })
  }

  #greet(payload: Buffer): void {
    const hello = this.#codec.decodeHello(payload)
    this.#name = `process ${hello.pid}`
    this.#follows = hello.follows
    clearTimeout(this.#deadline)
    if (hello.protocol !== protocolVersion) {
      return this.#refuse(`protocol ${hello.protocol}, this writer speaks ${protocolVersion}: run one release`)
    }
    const seq = this.#deps.seq()
    if (hello.seenSeq > seq) {
      this.#refuse(`this database is at commit ${seq}, but commit ${hello.seenSeq} was acknowledged`)
      return this.#deps.onAmnesia(hello.seenSeq)
    }
    const slot = this.#slots.take()
    if (slot === null) return this.#refuse('more processes are connected than there are slots for their ids')
    this.#slot = slot
    this.#mode = 'ready'
    this.#onReady()
    this.#socket.write(this.#codec.encodeWelcome({ protocol: protocolVersion, epoch: this.#deps.epoch, seq, slot }))
  }

  #refuse(reason: string): void {
    this.#deps.log(`${this.#name} refused: ${reason}`)
    this.#mode = 'closed'
    this.#socket.end(this.#codec.encodeRefusal({ reason }))
  }

  #drop(reason: string, error?: unknown): void {
    if (this.#mode !== 'closed') this.#deps.log(`${this.#name} disconnected: ${reason}`, error)
    this.#mode = 'closed'
    this.#socket.destroy()
  }
}
