import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { exitCodes, CommandError } from './exit-code.ts'
import type { Document, Node } from 'yaml'

/** Where something stands in a file, from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A mistake in a file of drops. */
export interface FileProblem extends Position {
  /** One sentence. */
  readonly detail: string
}

/** One drop of a file: a body of `POST /v1/drops` that was not checked yet. */
export interface FiledDrop {
  readonly body: Readonly<Record<string, unknown>>
  /** Where the field `param` (`skus[0].stock`) stands, or else what it is missing from; null: the drop itself. */
  locate(param: string | null): Position
}

type Path = readonly (string | number)[]

/** Checks bodies as the API would: http/check-drops. A process of its own, as for every part of `http`. */
const checker = fileURLToPath(new URL('../http/check-drops/main.ts', import.meta.url))
const checkerOutputMax = 64 * 1024 * 1024

/**
 * The drops of a YAML or JSON text: `drops:` with a list, a list, or one drop. Or everything that is wrong with it, by
 * line and column.
 */
export function readDropFile(text: string): { drops: readonly FiledDrop[] } | { problems: readonly FileProblem[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  // What follows the first is mostly its consequence.
  const [broken] = [...document.errors, ...document.warnings]
  if (broken !== undefined) {
    return { problems: [{ ...positionOf(lines, broken.pos[0]), detail: `not valid YAML: ${broken.message}` }] }
  }
  let value: unknown
  try {
    value = document.toJS()
  } catch (error) {
    // An alias that leads nowhere, or so many of them that the file is an attack.
    const detail = `not valid YAML: ${error instanceof Error ? error.message : String(error)}`
    return { problems: [{ line: 1, column: 1, detail }] }
  }
  const listed = findDrops(value)
  if (listed === null) {
    const detail = 'expected drops: with a list of drops, a list of drops, or one drop'
    return { problems: [{ line: 1, column: 1, detail }] }
  }
  const drops = listed.map(({ path, body }) => ({
    body,
    locate: (param: string | null) => positionOf(lines, offsetOf(document, [...path, ...toPath(param)])),
  }))
  const problems = checkDrops(drops)
  return problems.length > 0 ? { problems } : { drops }
}

function findDrops(value: unknown): { path: Path; body: FiledDrop['body'] }[] | null {
  if (Array.isArray(value)) return toDrops(value, [])
  if (typeof value !== 'object' || value === null) return null
  if (!('drops' in value)) return toDrops([value], null)
  // Anything beside it would be left out in silence.
  return Array.isArray(value.drops) && Object.keys(value).length === 1 ? toDrops(value.drops, ['drops']) : null
}

function toDrops(values: readonly unknown[], under: Path | null): { path: Path; body: FiledDrop['body'] }[] | null {
  if (values.length === 0) return null
  return values.map((value, index) => ({
    path: under === null ? [] : [...under, index],
    body: value as FiledDrop['body'],
  }))
}

/** What the API would refuse, in order of appearance. */
function checkDrops(drops: readonly FiledDrop[]): FileProblem[] {
  const input = JSON.stringify(drops.map(({ body }) => body))
  const options = { input, encoding: 'utf8', maxBuffer: checkerOutputMax } as const
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [checker], options)
  if (status !== 0) {
    throw new CommandError(exitCodes.failed, `the drops could not be checked: ${error?.message ?? stderr}`)
  }
  const found = JSON.parse(stdout) as readonly (readonly { detail: string; param: string | null }[])[]
  const problems = drops.flatMap((drop, index) =>
    (found[index] ?? []).map(({ detail, param }) => ({ ...drop.locate(param), detail })),
  )
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
}

/** `skus[0].stock` as a path: skus, 0, stock. */
function toPath(param: string | null): Path {
  if (param === null) return []
  return [...param.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([part, index]) => (index === undefined ? part : Number(index)))
}

/** Where the last part of `path` that exists begins: the name of a field, an item of a list. */
function offsetOf({ contents }: Document, path: Path): number {
  let node: unknown = contents
  let offset = startOf(contents)
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part))
      if (!isPair(pair)) return offset
      offset = startOf(pair.key as Node)
      node = pair.value
    } else if (isSeq(node)) {
      const item = node.items[Number(part)]
      if (item === undefined) return offset
      offset = startOf(item as Node)
      node = item
    } else return offset
  }
  return offset
}

function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0
}

function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}
