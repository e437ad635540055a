import { frameBytesMax } from '@penstock/domain/limits.ts'

/**
 * The unit of the IPC stream: `u32 length (big-endian) | u8 kind | payload`. The length counts kind and payload and is
 * at most `frameBytesMax`.
 */

export const frameKinds = {
  /** http → writer, first frame: `Hello`. */
  hello: 1,
  /** writer → http, answer to hello: `Welcome`. */
  welcome: 2,
  /** writer → http, answer to hello: `Refusal`; the connection ends. */
  refusal: 3,
  /** http → writer: commands, each with the number its reply will carry. */
  commands: 4,
  /** writer → http: one group commit. */
  commit: 5,
} as const

export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds]

const headerBytes = 5
const lengthBytes = 4

/** The bytes of one frame. Throws RangeError when it is longer than `frameBytesMax`: callers split before. */
export function encodeFrame(kind: FrameKind, payload: Uint8Array): Buffer {
  const length = 1 + payload.byteLength
  if (length > frameBytesMax) throw new RangeError(`a frame of ${length} bytes exceeds ${frameBytesMax}`)
  const frame = Buffer.allocUnsafe(lengthBytes + length)
  frame.writeUInt32BE(length, 0)
  frame[lengthBytes] = kind
  frame.set(payload, headerBytes)
  return frame
}

/** Bad bytes from a peer. The connection they came on must be closed; nothing else is affected. */
export class FrameError extends Error {
  readonly code = 'bad_frame'
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'FrameError'
  }
}

/**
 * Cuts a byte stream into frames. Feed it chunks of any size; it calls back once per whole frame, in order, with a
 * payload that is valid only during the call. Holds at most one partial frame, so at most `frameBytesMax` bytes.
 * Throws FrameError on a length out of bounds; after that the stream has no meaning.
 */
export class FrameReader {
  #pending: Buffer | null = null
  readonly #onFrame: (kind: number, payload: Buffer) => void

  constructor(onFrame: (kind: number, payload: Buffer) => void) {
    this.#onFrame = onFrame
  }

  push(chunk: Buffer): void {
    const bytes = this.#pending === null ? chunk : Buffer.concat([this.#pending, chunk])
    this.#pending = null
    let at = 0
    while (bytes.length - at >= lengthBytes) {
      const length = bytes.readUInt32BE(at)
      if (length < 1 || length > frameBytesMax) throw new FrameError(`frame length ${length} is out of bounds`)
      const end = at + lengthBytes + length
      if (end > bytes.length) break
      this.#onFrame(bytes[at + lengthBytes] ?? 0, bytes.subarray(at + headerBytes, end))
      at = end
    }
    if (at < bytes.length) this.#pending = Buffer.from(bytes.subarray(at))
  }
}
