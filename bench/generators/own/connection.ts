import net from 'node:net'
import { readAnswer } from './answer.ts'
import type { Socket } from 'node:net'

/** Shared by all connections of a process: each read is looked at before the next one begins. */
const readBuffer = Buffer.allocUnsafe(65_536)

export interface ConnectionEvents {
  readonly onOpen: (connection: Connection) => void
  /** `bytes` is valid during the call only. */
  readonly onAnswer: (connection: Connection, status: number, bytes: Buffer) => void
  readonly onClosed: (connection: Connection, error: Error | null) => void
}

/** One keep-alive connection with at most one request under way: nothing is pipelined. */
export class Connection {
  /** When the request under way should have been sent; NaN when there is none. */
  intendedMs = Number.NaN
  /** Its step. */
  step = 0
  /** Where this connection is in the order of a closed loop. */
  place: number
  readonly #socket: Socket
  readonly #events: ConnectionEvents
  /** The beginning of an answer that came in pieces. */
  #received: Buffer | null = null
  #error: Error | null = null

  constructor(host: string, port: number, place: number, events: ConnectionEvents) {
    this.place = place
    this.#events = events
    // `onread` spares the buffers and events of a stream: a third of what a request costs here.
    this.#socket = net.connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (count, buffer) => this.#onBytes(Buffer.from(buffer.buffer, buffer.byteOffset, count)),
      },
    })
    this.#socket.once('connect', () => events.onOpen(this))
    this.#socket.once('error', (error) => (this.#error = error))
    this.#socket.once('close', () => events.onClosed(this, this.#error))
  }

  get isBusy(): boolean {
    return !Number.isNaN(this.intendedMs)
  }

  send(request: string | Buffer, step: number, intendedMs: number): void {
    this.step = step
    this.intendedMs = intendedMs
    if (typeof request === 'string') this.#socket.write(request, 'latin1')
    else this.#socket.write(request)
  }

  close(): void {
    this.#socket.destroy()
  }

  #onBytes(chunk: Buffer): boolean {
    const bytes = this.#received === null ? chunk : Buffer.concat([this.#received, chunk])
    try {
      const answer = readAnswer(bytes)
      if (answer === null) {
        this.#received = this.#received === null ? Buffer.from(bytes) : bytes
        return true
      }
      this.#received = null
      if (!this.isBusy || answer.length !== bytes.length) throw new Error('an answer that nobody asked for')
      this.#events.onAnswer(this, answer.status, bytes)
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : new Error(String(error)))
    }
    return true
  }
}
