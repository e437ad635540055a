import { timingSafeEqual } from 'node:crypto'

/** In constant time for texts of the same length, which is no secret. */
export function equalTexts(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}
