import { Packr } from 'msgpackr'
import { commandsPerFrameMax, frameBytesMax } from '@penstock/domain/limits.ts'
import { checkCommand, commandStructures } from './command-schema.ts'
import { encodeFrame, FrameError, frameKinds } from './frame.ts'
import {
  resultWithMetadataObject,
  resultWithMetadataText,
  withMetadataObject,
  withMetadataText,
} from './metadata-text.ts'
import type { FrameKind } from './frame.ts'
import type { CommitMessage, Hello, NumberedCommand, Refusal, Reply, SkuCounters, Welcome } from './messages.ts'

/**
 * Field names of the objects that travel in results, in wire order. Objects of any other shape (drops, partial
 * changes, refunds, API keys) are written with their names inline.
 */
const resultStructures: readonly (readonly string[])[] = [
  ['outcome', 'payment', 'duplicate', 'replayed'],
  ['outcome', 'hold', 'replayed'],
  ['outcome', 'drop', 'skus', 'nowMs', 'replayed'],
  ['outcome', 'param', 'detail'],
  [
    'id',
    'provider',
    'providerPaymentId',
    'holdId',
    'orderId',
    'amountMinor',
    'currency',
    'status',
    'reason',
    'createdMs',
    'attachedHoldId',
    'refundedMinor',
    'disputedMinor',
    'lostMinor',
  ],
  [
    'id',
    'dropId',
    'lines',
    'fees',
    'amountMinor',
    'currency',
    'customer',
    'clientSecret',
    'createdMs',
    'expiresMs',
    'status',
  ],
  ['name', 'kind', 'amountMinor'],
  ['skuId', 'quantity', 'unitAmountMinor'],
  ['id', 'name', 'unitAmountMinor', 'stock', 'maxPerOrder', 'dropId', 'held', 'sold'],
]

const structures = [...commandStructures, ...resultStructures]
/** msgpackr decodes at most 32 shared structures (its issue 189). */
const structuresMax = 32
if (structures.length > structuresMax) throw new Error(`${structures.length} structures, at most ${structuresMax}`)

/**
 * Messages to frames and back, for one connection: msgpackr keeps state per instance, so both ends make a fresh codec
 * for each connection. The list of structures is fixed and never learnt from the peer.
 */
export class Codec {
  readonly #packr = new Packr({
    structures: structures.map((names) => [...names]),
    maxSharedStructures: structures.length,
    int64AsType: 'number',
  })

  encodeHello(hello: Hello): Buffer {
    return this.#frame(frameKinds.hello, [hello.protocol, hello.pid, hello.seenSeq, hello.follows])
  }

  encodeWelcome(welcome: Welcome): Buffer {
    return this.#frame(frameKinds.welcome, [welcome.protocol, welcome.epoch, welcome.seq, welcome.slot])
  }

  encodeRefusal(refusal: Refusal): Buffer {
    return this.#frame(frameKinds.refusal, [refusal.reason])
  }

  /** One frame where it fits, more where it does not. */
  encodeCommands(commands: readonly NumberedCommand[]): Buffer[] {
    return this.#split(commands, (part) => {
      const flat: unknown[] = []
      for (const { id, command } of part) flat.push(id, withMetadataText(command))
      return this.#pack(frameKinds.commands, flat)
    })
  }

  /** One frame where it fits. Every part repeats the changes, so each is true by itself. */
  encodeCommit(commit: CommitMessage): Buffer[] {
    const skus: unknown[] = []
    for (const { skuId, stock, held, sold } of commit.skus) skus.push(skuId, stock, held, sold)
    return this.#split(commit.replies, (part) => {
      const replies: unknown[] = []
      for (const { id, result } of part) replies.push(id, resultWithMetadataText(result))
      return this.#pack(frameKinds.commit, [commit.seq, skus, commit.dropIds, commit.apiKeysChanged, replies])
    })
  }

  decodeHello(payload: Buffer): Hello {
    const [protocol, pid, seenSeq, follows] = this.#list(payload, 4)
    return { protocol: whole(protocol), pid: whole(pid), seenSeq: whole(seenSeq), follows: follows === true }
  }

  decodeWelcome(payload: Buffer): Welcome {
    const [protocol, epoch, seq, slot] = this.#list(payload, 4)
    return { protocol: whole(protocol), epoch: whole(epoch), seq: whole(seq), slot: whole(slot) }
  }

  decodeRefusal(payload: Buffer): Refusal {
    const [reason] = this.#list(payload, 1)
    return { reason: text(reason) }
  }

  decodeCommands(payload: Buffer): NumberedCommand[] {
    const flat = list(this.#unpack(payload))
    if (flat.length % 2 !== 0) throw new FrameError('commands do not come in pairs of number and command')
    const commands: NumberedCommand[] = []
    for (let at = 0; at < flat.length; at += 2) {
      commands.push({ id: whole(flat[at]), command: checkCommand(withMetadataObject(flat[at + 1])) })
    }
    return commands
  }

  decodeCommit(payload: Buffer): CommitMessage {
    const [seq, skus, dropIds, apiKeysChanged, replies] = this.#list(payload, 5)
    return {
      seq: whole(seq),
      skus: counters(list(skus)),
      dropIds: list(dropIds).map(text),
      apiKeysChanged: apiKeysChanged === true,
      replies: pairs(list(replies)),
    }
  }

  #list(payload: Buffer, length: number): unknown[] {
    const values = list(this.#unpack(payload))
    if (values.length !== length) throw new FrameError(`a message of ${values.length} values, expected ${length}`)
    return values
  }

  /** Any failure inside msgpackr (truncation, unknown extension, nesting too deep) means a broken peer. */
  #unpack(payload: Buffer): unknown {
    try {
      return this.#packr.unpack(payload)
    } catch (error) {
      throw new FrameError('the payload is not valid MessagePack', error)
    }
  }

  #frame(kind: FrameKind, values: readonly unknown[]): Buffer {
    const frame = this.#pack(kind, values)
    if (frame === null) throw new RangeError(`a message of kind ${kind} exceeds ${frameBytesMax} bytes`)
    return frame
  }

  #pack(kind: FrameKind, values: readonly unknown[]): Buffer | null {
    const payload = this.#packr.pack(values)
    return payload.length + 1 > frameBytesMax ? null : encodeFrame(kind, payload)
  }

  /** Halves `items` until each part fits a frame. A single item that does not fit is a bug: bodies are bounded. */
  #split<Item>(items: readonly Item[], encode: (part: readonly Item[]) => Buffer | null): Buffer[] {
    const frame = items.length <= commandsPerFrameMax ? encode(items) : null
    if (frame !== null) return [frame]
    if (items.length < 2) throw new RangeError(`one message exceeds ${frameBytesMax} bytes`)
    const half = items.length >> 1
    return [...this.#split(items.slice(0, half), encode), ...this.#split(items.slice(half), encode)]
  }
}

function counters(flat: readonly unknown[]): SkuCounters[] {
  if (flat.length % 4 !== 0) throw new FrameError('SKU counters do not come in fours')
  const skus: SkuCounters[] = []
  for (let at = 0; at < flat.length; at += 4) {
    skus.push({
      skuId: text(flat[at]),
      stock: whole(flat[at + 1]),
      held: whole(flat[at + 2]),
      sold: whole(flat[at + 3]),
    })
  }
  return skus
}

/** Results come from the writer, which this process trusts to be of the same build (`protocolVersion`). */
function pairs(flat: readonly unknown[]): Reply[] {
  const replies: Reply[] = []
  for (let at = 0; at < flat.length; at += 2) {
    replies.push({ id: whole(flat[at]), result: resultWithMetadataObject(flat[at + 1]) as Reply['result'] })
  }
  return replies
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new FrameError('expected a list')
  return value
}

function whole(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new FrameError('expected an integer')
  return value as number
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new FrameError('expected a text')
  return value
}
