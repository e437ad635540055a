import { join } from 'node:path'
import { piecesOf, renderRequest } from './plan.ts'
import type { RequestPlan, RequestTemplate, Step } from './plan.ts'

/** What the body of the answer to a parking request begins with: the server gave up waiting, or has too many who wait. */
const parkedAnswer = '{"type":"urn:penstock:problem:behind"'

/** A plan as wrk-mix.lua reads it, and the files of tokens that it names. */
export interface WrkPlan {
  /** A Lua chunk that returns a table. */
  readonly lua: string
  /** By path; a zero byte is between two tokens. */
  readonly files: ReadonlyMap<string, string>
}

/** `threads` share the tokens of a step. Throws when answers of two steps could not be told apart. */
export function wrkPlan(
  { steps, order }: Pick<RequestPlan, 'steps' | 'order'>,
  parking: RequestTemplate,
  { url, threads, seconds, folder }: { url: string; threads: number; seconds: number; folder: string },
): WrkPlan {
  const files = new Map<string, string>()
  if (steps.length > 1) checkAnswers(steps)
  const rendered = steps.map((step, place) => {
    const file = join(folder, `tokens-${place}`)
    return luaTable({
      pieces: `{${piecesOf(step, url).map(luaString).join(', ')}}`,
      ...luaTokens(step, file, files),
      answer: luaString(step.answerStart ?? ''),
      expects: step.expects === '2xx' ? '0' : String(step.expects),
      keepsId: String(step.keepsId === true),
    })
  })
  const lua = luaTable({
    threads: String(threads),
    seconds: String(seconds),
    parking: luaString(renderRequest(parking, url)),
    parked: luaString(parkedAnswer),
    order: `{${order.map((place) => place + 1).join(', ')}}`,
    steps: `{\n${rendered.join(',\n')}\n}`,
  })
  return { lua: `return ${lua}\n`, files }
}

function checkAnswers(steps: readonly Step[]): void {
  for (const { name, answerStart } of steps) {
    if (answerStart === undefined) throw new Error(`wrk cannot know the answers of ${name}: it has no answerStart`)
    const other = steps.find((step) => step.name !== name && step.answerStart?.startsWith(answerStart) === true)
    if (other !== undefined) throw new Error(`wrk cannot tell the answers of ${name} from those of ${other.name}`)
  }
}

function luaTokens({ tokens }: Step, file: string, files: Map<string, string>): Record<string, string> {
  switch (tokens?.kind) {
    case undefined:
      return { tokens: '"none"' }
    case 'count':
      return { tokens: '"count"', from: String(tokens.from) }
    case 'answered':
      files.set(file, tokens.seed.join('\0'))
      return { tokens: '"answered"', file: luaString(file) }
    case 'list':
    case 'requests':
      files.set(file, tokens.list.join('\0'))
      return {
        tokens: '"file"',
        file: luaString(file),
        again: String(tokens.kind === 'list' && tokens.again === true),
      }
  }
}

function luaTable(fields: Readonly<Record<string, string>>): string {
  return `{ ${Object.entries(fields)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')} }`
}

/** Bytes that are not plain ASCII as three decimal digits each; `text` is latin1. */
export function luaString(text: string): string {
  const escaped = text.replaceAll(
    /[^\u0020-\u007e]|["\\]/g,
    (character) => `\\${String(character.charCodeAt(0)).padStart(3, '0')}`,
  )
  return `"${escaped}"`
}
