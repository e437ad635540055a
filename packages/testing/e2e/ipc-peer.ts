import { once } from 'node:events'
import { createConnection } from 'node:net'
import type { Socket } from 'node:net'

export interface IpcReply {
  readonly id: number
  readonly result: Readonly<Record<string, unknown>>
}

/** The part of `Codec` that these tests speak. By path: testing has no dependency on the protocol. */
interface ProtocolCodec {
  encodeHello(hello: { protocol: number; pid: number; seenSeq: number; follows: boolean }): Buffer
  encodeCommands(commands: readonly { id: number; command: object }[]): Buffer[]
  decodeCommit(payload: Buffer): { readonly seq: number; readonly replies: readonly { id: number; result: object }[] }
}
const { Codec } = (await import(new URL('../../protocol/codec.ts', import.meta.url).href)) as {
  Codec: new () => ProtocolCodec
}
const { fullResult } = (await import(new URL('../../protocol/brief-result.ts', import.meta.url).href)) as {
  fullResult: (command: object, result: object) => IpcReply['result']
}

export const protocol = 2

/** Kinds of frames (protocol/frame.ts), as numbers: what is on the wire must not change by accident. */
export const kinds = { hello: 1, welcome: 2, refusal: 3, commands: 4, commit: 5 } as const

/** A frame with this kind and payload: `u32 length | u8 kind | payload`. */
export function frame(kind: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.byteLength + 1, 0)
  head[4] = kind
  return Buffer.concat([head, payload])
}

/** A connection to the writer's socket that may say anything. */
export class IpcPeer {
  readonly codec = new Codec()
  /** Resolves when the writer has closed the connection. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  /** Kinds of the frames received so far. */
  readonly kinds: number[] = []
  /** Replies to commands of this connection. */
  readonly replies: IpcReply[] = []
  readonly #commands = new Map<number, object>()
  #received = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    // A reset is a way of closing, too.
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
  }

  static async connect(path: string): Promise<IpcPeer> {
    const socket = createConnection(path)
    await once(socket, 'connect')
    return new IpcPeer(socket)
  }

  /** Connected and welcomed. */
  static async greet(path: string): Promise<IpcPeer> {
    const peer = await IpcPeer.connect(path)
    const welcomed = once(peer.#socket, 'data')
    peer.send(peer.codec.encodeHello({ protocol, pid: process.pid, seenSeq: 0, follows: true }))
    await welcomed
    return peer
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  end(): void {
    this.#socket.destroy()
  }

  sendCommands(commands: readonly { id: number; command: object }[]): void {
    for (const { id, command } of commands) this.#commands.set(id, command)
    for (const bytes of this.codec.encodeCommands(commands)) this.send(bytes)
  }

  #takeReplies(payload: Buffer): void {
    for (const { id, result } of this.codec.decodeCommit(payload).replies) {
      this.replies.push({ id, result: fullResult(this.#commands.get(id) ?? {}, result) })
    }
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readUInt32BE(0)
      if (this.#received.length < end) return
      const kind = this.#received.readUInt8(4)
      this.kinds.push(kind)
      if (kind === kinds.commit) this.#takeReplies(this.#received.subarray(5, end))
      this.#received = this.#received.subarray(end)
    }
  }
}
