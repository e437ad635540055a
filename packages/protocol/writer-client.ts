import { createConnection } from 'node:net'
import {
  commandLossesMax,
  commandsInFlightMax,
  commandsPerFrameMax,
  handshakeDeadlineMs,
  reconnectMaxMs,
  reconnectMinMs,
  requestDeadlineMs,
} from '@penstock/domain/limits.ts'
import { fullResult } from './brief-result.ts'
import { Codec } from './codec.ts'
import { FrameError, FrameReader, frameKinds } from './frame.ts'
import { protocolVersion } from './messages.ts'
import type { Socket } from 'node:net'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { CommitMessage, Hello, NumberedCommand, Welcome } from './messages.ts'

/**
 * What became of a command: its result and the commit it is part of, or null, unknown: the deadline came first, or it was
 * under way in `commandLossesMax` losses of the connection.
 */
export type OnReply = (reply: { readonly result: Result; readonly seq: number } | null) => void

interface Pending extends NumberedCommand {
  readonly deadlineMs: number
  readonly onReply: OnReply
  /** Connections that ended while it was under way. */
  losses: number
}

export interface WriterClientDeps {
  readonly path: string
  readonly pid: number
  /** Whether to hear of every commit, or only of those with replies to this process. */
  readonly follows: boolean
  readonly clock: () => number
  /** 0 to 1, for jitter. */
  readonly random: () => number
  readonly log: (message: string) => void
  /** After every handshake, before any commit of the new connection: reload what commits keep fresh. */
  readonly onConnected: (welcome: Welcome) => void
  /** Every commit this process hears of, before its replies. */
  readonly onCommit: (commit: CommitMessage) => void
}

/**
 * This process's line to the writer. Commands of one event-loop turn travel in one frame.
 *
 * When the writer dies, commands stay here until their deadline (`requestDeadlineMs` after `submit`), and go out again
 * after the next handshake: every command is safe to repeat, so a restart costs buyers a pause and not an error. One that
 * is under way again when the next connection ends may be what ends them, and is given up. At most `commandsInFlightMax`
 * commands wait at once.
 */
export class WriterClient {
  readonly #deps: WriterClientDeps
  /** In the order of their numbers, and so of their deadlines. */
  readonly #pending = new Map<number, Pending>()
  #unsent: Pending[] = []
  #nextId = 1
  #connection: Connection | null = null
  #seenSeq = 0
  #failures = 0
  #closing = false
  #flushScheduled = false
  #sweep: NodeJS.Timeout | null = null

  constructor(deps: WriterClientDeps) {
    this.#deps = deps
  }

  get isConnected(): boolean {
    return this.#connection !== null
  }

  /** Whether commands wait for their reply. */
  get isAwaited(): boolean {
    return this.#pending.size > 0
  }

  connect(): void {
    if (this.#closing) return
    this.#sweep ??= setInterval(() => this.#expire(), sweepIntervalMs)
    const connection = new Connection(createConnection(this.#deps.path), {
      hello: {
        protocol: protocolVersion,
        pid: this.#deps.pid,
        seenSeq: this.#seenSeq,
        follows: this.#deps.follows,
      },
      onWelcome: (welcome) => this.#welcomed(connection, welcome),
      onCommit: (commit) => this.#committed(commit),
      onClosed: (reason) => this.#closed(reason),
    })
  }

  /** False: too many commands wait; nothing was sent. Otherwise `onReply` is called once. */
  submit(command: Command, onReply: OnReply): boolean {
    if (this.#pending.size >= commandsInFlightMax) return false
    const id = this.#nextId++
    const pending = { id, command, onReply, deadlineMs: this.#deps.clock() + requestDeadlineMs, losses: 0 }
    this.#pending.set(id, pending)
    this.#unsent.push(pending)
    if (!this.#flushScheduled) {
      this.#flushScheduled = true
      setImmediate(() => this.#flush())
    }
    return true
  }

  /** Ends the connection. Commands still pending are answered as unknown. */
  close(): void {
    this.#closing = true
    if (this.#sweep !== null) clearInterval(this.#sweep)
    this.#connection?.end()
    for (const pending of this.#pending.values()) pending.onReply(null)
    this.#pending.clear()
  }

  #flush(): void {
    this.#flushScheduled = false
    const commands = this.#unsent
    this.#unsent = []
    // Without a connection they stay in #pending, from which the next handshake takes them.
    if (this.#connection === null) return
    this.#connection.sendCommands(commands)
  }

  #welcomed(connection: Connection, welcome: Welcome): void {
    if (this.#closing) return connection.end()
    this.#failures = 0
    this.#seenSeq = Math.max(this.#seenSeq, welcome.seq)
    this.#deps.onConnected(welcome)
    this.#connection = connection
    // Everything unanswered, sent before or not: each command carries what makes its repetition harmless.
    this.#unsent = [...this.#pending.values()]
    this.#flush()
  }

  #committed(commit: CommitMessage): void {
    this.#seenSeq = Math.max(this.#seenSeq, commit.seq)
    this.#deps.onCommit(commit)
    for (const { id, result } of commit.replies) {
      const pending = this.#pending.get(id)
      if (pending === undefined) continue
      // First, for it may throw: what is pending is sent again.
      const full = fullResult(pending.command, result)
      this.#pending.delete(id)
      pending.onReply({ result: full, seq: commit.seq })
    }
  }

  #closed(reason: string): void {
    const wasConnected = this.#connection !== null
    this.#connection = null
    if (this.#closing) return
    if (wasConnected) this.#giveUpSuspects()
    if (wasConnected || this.#failures === 0) this.#deps.log(`no writer: ${reason}; trying again`)
    const waitMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** Math.min(this.#failures, 10))
    this.#failures += 1
    setTimeout(() => this.connect(), waitMs / 2 + (waitMs / 2) * this.#deps.random())
  }

  /** A command that kills the writer would kill each one that follows. */
  #giveUpSuspects(): void {
    const unsent = new Set(this.#unsent)
    const underWay = [...this.#pending.values()].filter((pending) => !unsent.has(pending))
    for (const pending of underWay) pending.losses += 1
    const suspects = underWay.filter(({ losses }) => losses >= commandLossesMax)
    if (suspects.length === 0) return
    const kinds = [...new Set(suspects.map(({ command }) => command.kind))].join(', ')
    this.#deps.log(`given up after ${commandLossesMax} lost connections: ${suspects.length} commands (${kinds})`)
    for (const { id, onReply } of suspects) {
      this.#pending.delete(id)
      onReply(null)
    }
  }

  /** Deadlines are in the order of the map: stop at the first that is not due. */
  #expire(): void {
    const nowMs = this.#deps.clock()
    for (const pending of this.#pending.values()) {
      if (pending.deadlineMs > nowMs) return
      this.#pending.delete(pending.id)
      pending.onReply(null)
    }
  }
}

const sweepIntervalMs = 50

interface ConnectionEvents {
  readonly hello: Hello
  readonly onWelcome: (welcome: Welcome) => void
  readonly onCommit: (commit: CommitMessage) => void
  readonly onClosed: (reason: string) => void
}

/** One connection: a fresh codec, a handshake, then commands out and commits in. */
class Connection {
  readonly #socket: Socket
  readonly #codec = new Codec()
  readonly #events: ConnectionEvents
  readonly #deadline: NodeJS.Timeout
  #mode: 'greeting' | 'ready' | 'closed' = 'greeting'
  #reason = 'the connection ended'

  constructor(socket: Socket, events: ConnectionEvents) {
    this.#socket = socket
    this.#events = events
    this.#deadline = setTimeout(() => this.#fail('no welcome in time'), handshakeDeadlineMs)
    const reader = new FrameReader((kind, payload) => this.#onFrame(kind, payload))
    socket.on('connect', () => socket.write(this.#codec.encodeHello(events.hello)))
    socket.on('data', (chunk: Buffer) => {
      try {
        if (this.#mode !== 'closed') reader.push(chunk)
      } catch (error) {
        if (!(error instanceof FrameError)) throw error
        this.#fail(error.message)
      }
    })
    socket.on('error', (error) => {
      this.#reason = error.message
    })
    socket.on('close', () => {
      clearTimeout(this.#deadline)
      this.#mode = 'closed'
      events.onClosed(this.#reason)
    })
  }

  sendCommands(commands: readonly NumberedCommand[]): void {
    for (let at = 0; at < commands.length; at += commandsPerFrameMax) {
      const part =
        at === 0 && commands.length <= commandsPerFrameMax ? commands : commands.slice(at, at + commandsPerFrameMax)
      for (const frame of this.#codec.encodeCommands(part)) this.#socket.write(frame)
    }
  }

  end(): void {
    this.#socket.end()
  }

  #onFrame(kind: number, payload: Buffer): void {
    if (this.#mode === 'ready' && kind === frameKinds.commit) {
      this.#events.onCommit(this.#codec.decodeCommit(payload))
    } else if (this.#mode === 'greeting' && kind === frameKinds.welcome) {
      const welcome = this.#codec.decodeWelcome(payload)
      if (welcome.protocol !== protocolVersion) throw new FrameError(`the writer speaks protocol ${welcome.protocol}`)
      clearTimeout(this.#deadline)
      this.#mode = 'ready'
      this.#events.onWelcome(welcome)
    } else if (this.#mode === 'greeting' && kind === frameKinds.refusal) {
      this.#fail(`refused: ${this.#codec.decodeRefusal(payload).reason}`)
    } else {
      throw new FrameError(`unexpected frame kind ${kind}`)
    }
  }

  #fail(reason: string): void {
    this.#reason = reason
    this.#mode = 'closed'
    this.#socket.destroy()
  }
}
