import { problem } from './problem.ts'
import type { Problem } from './problem.ts'

/** The header `Penstock-Min-Seq`: the commit that an answer must not be older than; 0 when absent. */
export function readMinSeq(header: string): { readonly minSeq: number } | { readonly problem: Problem } {
  if (header === '') return { minSeq: 0 }
  if (/^\d{1,15}$/.test(header)) return { minSeq: Number(header) }
  const detail = 'Penstock-Min-Seq must be a whole number from a Penstock-Seq header.'
  return { problem: problem('invalid_request', detail, 'Penstock-Min-Seq') }
}
