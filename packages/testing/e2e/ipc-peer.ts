import { once } from 'node:events'
import { createConnection } from 'node:net'
import type { Socket } from 'node:net'

/** The part of `Codec` that these tests speak. By path: testing has no dependency on the protocol. */
interface ProtocolCodec {
  encodeHello(hello: { protocol: number; pid: number; seenSeq: number }): Buffer
  encodeCommands(commands: readonly { id: number; command: object }[]): Buffer[]
}
const { Codec } = (await import(new URL('../../protocol/codec.ts', import.meta.url).href)) as {
  Codec: new () => ProtocolCodec
}

export const protocol = 1

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
  readonly #chunks: Buffer[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk))
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
    peer.send(peer.codec.encodeHello({ protocol, pid: process.pid, seenSeq: 0 }))
    await welcomed
    return peer
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Kinds of the frames received so far. */
  get kinds(): number[] {
    const bytes = Buffer.concat(this.#chunks)
    const kinds: number[] = []
    for (let at = 0; at + 4 < bytes.length; at += 4 + bytes.readUInt32BE(at)) kinds.push(bytes.readUInt8(at + 4))
    return kinds
  }

  end(): void {
    this.#socket.destroy()
  }
}
