import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HashTail, shareCount } from './hash-tail.ts'
import { hash53 } from './hash53.ts'

const shareWidth = 2 ** 53 / shareCount

/** In a few neighbouring shares, the first and the last among them, so that they collide and spill over. */
const crowdedHash = fc
  .record({
    share: fc.constantFrom(0, 1, 2, shareCount - 1),
    offset: fc.constantFrom(0, 1, 2, shareWidth / 2, shareWidth - 1),
  })
  .map(({ share, offset }) => share * shareWidth + offset)

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('add' as const), hash: crowdedHash }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('remove' as const), hash: crowdedHash }),
  },
)

function seqsOf(tail: HashTail, hash: number): number[] {
  const seqs: number[] = []
  for (let place = tail.first(hash); place !== -1; place = tail.next(hash, place)) seqs.push(tail.seqAt(place))
  return seqs.toSorted((a, b) => a - b)
}

test('HashTail has what was added but for the shares that were taken out, whatever collides', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const tail = new HashTail()
      let model: { hash: number; seq: number }[] = []
      for (const [seq, { kind, hash }] of steps.entries()) {
        const share = Math.floor(hash / shareWidth)
        if (kind === 'add') {
          tail.add(hash, seq)
          model.push({ hash, seq })
        } else {
          const inShare = model.filter((pair) => Math.floor(pair.hash / shareWidth) === share)
          expect(new Set(tail.list(share).map(([, listed]) => listed))).toEqual(
            new Set(inShare.map((pair) => pair.seq)),
          )
          tail.remove(share)
          model = model.filter((pair) => !inShare.includes(pair))
        }
        expect(tail.size).toBe(model.length)
      }
      for (const { hash } of steps) {
        expect(seqsOf(tail, hash)).toEqual(model.filter((pair) => pair.hash === hash).map((pair) => pair.seq))
      }
    }),
    { numRuns: 300 },
  )
})

test('HashTail lists a share in the order of its hashes', () => {
  const tail = new HashTail()
  for (const offset of [7, 3, 9, 3]) tail.add(5 * shareWidth + offset, offset)
  expect(tail.list(5).map(([hash]) => hash - 5 * shareWidth)).toEqual([3, 3, 7, 9])
})

test('HashTail finds everything after it has grown', () => {
  const tail = new HashTail()
  const hashes = Array.from({ length: 50_000 }, (_, at) => (at * 0x1f_ffff_ffff_f1) % 2 ** 53)
  for (const [seq, hash] of hashes.entries()) tail.add(hash, seq)
  expect(hashes.every((hash, seq) => seqsOf(tail, hash).includes(seq))).toBe(true)
  expect(tail.first(hashes.length * 3 + 1)).toBe(-1)
})

test('HashTail has short ways while the shares are taken out in turn: those that are next are the fullest', () => {
  const tail = new HashTail()
  const [pairs, batches, perBatch] = [65_536, 6_000, 30]
  let [seq, next] = [0, 0]
  const startedMs = performance.now()
  for (let batch = 0; batch < batches; batch++) {
    while (tail.size + perBatch > pairs) {
      tail.remove(next)
      next = (next + 1) % shareCount
    }
    for (let at = 0; at < perBatch; at++) tail.add(hash53(`key ${(seq += 1)}`), seq)
  }
  // 0.1 s; with 0.6 as the largest load it was minutes.
  expect(performance.now() - startedMs).toBeLessThan(20_000)
})
