import fc from 'fast-check'
import { expect, it } from 'vitest'
import { frameBytesMax } from '@penstock/domain/limits.ts'
import { encodeFrame, FrameError, FrameReader, frameKinds } from './frame.ts'
import type { FrameKind } from './frame.ts'

interface Frame {
  readonly kind: number
  readonly payload: Buffer
}

/** Feeds `chunks` to a fresh reader and returns the frames it cut. */
function readAll(chunks: readonly Buffer[]): Frame[] {
  const frames: Frame[] = []
  // A payload is valid only during the call: it is copied.
  const reader = new FrameReader((kind, payload) => frames.push({ kind, payload: Buffer.from(payload) }))
  for (const chunk of chunks) {
    reader.push(chunk)
    // What the reader keeps must be its own: sockets reuse their buffers.
    chunk.fill(0xee)
  }
  return frames
}

function encodeAll(frames: readonly Frame[]): Buffer {
  return Buffer.concat(frames.map(({ kind, payload }) => encodeFrame(kind as FrameKind, payload)))
}

function header(length: number, kind = 1): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt32BE(length)
  bytes[4] = kind
  return bytes
}

const exchange: readonly Frame[] = [
  { kind: frameKinds.hello, payload: Buffer.from([1, 2, 3]) },
  { kind: frameKinds.commands, payload: Buffer.alloc(0) },
  { kind: frameKinds.commit, payload: Buffer.from([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 200]) },
]

it('encodeFrame writes length, kind and payload', () => {
  expect(encodeFrame(frameKinds.commands, Buffer.from([0xaa, 0xbb])).toString('hex')).toBe('0000000304aabb')
  expect(encodeFrame(frameKinds.hello, Buffer.alloc(0)).toString('hex')).toBe('0000000101')
})

it('encodeFrame takes a payload up to frameBytesMax with its kind, and none that is longer', () => {
  expect(encodeFrame(frameKinds.commit, Buffer.alloc(frameBytesMax - 1))).toHaveLength(frameBytesMax + 4)
  expect(() => encodeFrame(frameKinds.commit, Buffer.alloc(frameBytesMax))).toThrow(RangeError)
})

it('FrameReader gives the same three frames wherever the stream is split in two', () => {
  const { length } = encodeAll(exchange)
  for (let at = 0; at <= length; at++) {
    const stream = encodeAll(exchange)
    const chunks = [Buffer.from(stream.subarray(0, at)), Buffer.from(stream.subarray(at))]
    expect(readAll(chunks), `split at byte ${at}`).toEqual(exchange)
  }
})

it('FrameReader gives the same three frames wherever the stream is split in three', () => {
  const { length } = encodeAll(exchange)
  for (let first = 0; first <= length; first++) {
    for (let second = first; second <= length; second++) {
      const stream = encodeAll(exchange)
      const parts = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]
      expect(readAll(parts.map((part) => Buffer.from(part)))).toEqual(exchange)
    }
  }
})

it('FrameReader cuts frames that arrive in one chunk, and bytes that arrive one by one', () => {
  expect(readAll([encodeAll(exchange)])).toEqual(exchange)
  expect(readAll([...encodeAll(exchange)].map((byte) => Buffer.from([byte])))).toEqual(exchange)
})

it('FrameReader gives the same frames for any frames and any chunks', () => {
  const frame = fc.record({
    kind: fc.integer({ min: 0, max: 255 }),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  })
  const cuts = fc.array(fc.nat({ max: 2_000 }), { maxLength: 20 })
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), cuts, (frames, positions) => {
      const stream = encodeAll(frames)
      const bounds = [0, ...positions.map((at) => Math.min(at, stream.length)).toSorted((a, b) => a - b), stream.length]
      const chunks = bounds.slice(1).map((end, index) => Buffer.from(stream.subarray(bounds[index], end)))
      expect(readAll(chunks)).toEqual(frames)
    }),
  )
})

it('FrameReader takes a frame of frameBytesMax', () => {
  const payload = Buffer.alloc(frameBytesMax - 1, 7)
  const stream = encodeFrame(frameKinds.commit, payload)
  const chunks = Array.from({ length: 17 }, (_, index) =>
    Buffer.from(stream.subarray(index * 65_536, (index + 1) * 65_536)),
  )
  expect(readAll(chunks)).toEqual([{ kind: frameKinds.commit, payload }])
})

it.each([
  ['no length at all', 0],
  ['one byte too many', frameBytesMax + 1],
  ['4 GiB', 0xffff_ffff],
  ['text instead of a frame', Buffer.from('GET ').readUInt32BE()],
])('FrameReader refuses a length of %s as soon as it is read', (_, length) => {
  const first = encodeFrame(frameKinds.hello, Buffer.from([1]))
  for (const chunks of [
    [Buffer.concat([first, header(length).subarray(0, 4)])],
    [first, header(length).subarray(0, 3), header(length).subarray(3)],
  ]) {
    const kinds: number[] = []
    const reader = new FrameReader((kind) => kinds.push(kind))
    expect(() => {
      for (const chunk of chunks) reader.push(chunk)
    }).toThrow(FrameError)
    expect(kinds).toEqual([frameKinds.hello])
  }
})

it('FrameReader calls nobody for a stream that ends inside a frame', () => {
  const stream = encodeAll(exchange)
  expect(readAll([stream.subarray(0, -1)])).toEqual(exchange.slice(0, 2))
})

it('FrameError has a code and a cause', () => {
  const cause = new Error('inside')
  expect(new FrameError('outside', cause)).toMatchObject({ code: 'bad_frame', message: 'outside', cause })
})
