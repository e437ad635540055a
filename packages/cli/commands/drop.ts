import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { stringify } from 'yaml'
import { ApiRefusal, openApi, serverNotes, serverOptions } from '../api-client.ts'
import { showTime } from '../amount.ts'
import { readDropFile } from '../drop-file.ts'
import { CommandError, exitCodes, usageError } from '../exit-code.ts'
import { writeNew } from './init.ts'
import { limitOf, limitOption, printList } from './list.ts'
import type { Api, Json } from '../api-client.ts'
import type { Call, Command, Context } from '../command.ts'
import type { Column } from '../output.ts'
import type { FiledDrop, FileProblem } from '../drop-file.ts'

export const dropImport: Command = {
  name: 'drop import',
  summary: 'make the drops of a YAML or JSON file; doing it twice makes them once',
  args: [{ usage: '<file>', summary: 'the file; penstock init writes an example, drop export one of what there is' }],
  options: [
    { flags: '--publish', summary: 'publish each of them as well' },
    { flags: '--dry-run', summary: 'only check the file; needs no server' },
    ...serverOptions,
  ],
  notes: `All mistakes are shown at once, as FILE:LINE:COLUMN, and then nothing is made (exit code 2); of a file that is no
YAML only the first. What only the server can refuse ends it there (exit code 4), and what was made before it stays. Each
drop is sent with an Idempotency-Key made of what the file says about it: repeating an import is harmless, also after an
interruption, and a drop that was changed in the file is a new drop.
${serverNotes}`,
  run: async (call, context) => {
    const [file = ''] = call.args
    const read = readDropFile(readText(file))
    if ('problems' in read) throw fileError(file, read.problems)
    const { drops } = read
    if (call.has('dryRun')) {
      if (call.json) context.output.json({ object: 'import', dry_run: true, data: drops.map(({ body }) => body) })
      else context.output.line(`${file}: ${drops.length} ${drops.length === 1 ? 'drop' : 'drops'}, no mistakes`)
      return exitCodes.done
    }
    const made = await importDrops(openApi(call, context), file, drops, call, context)
    if (call.json) context.output.json({ object: 'import', dry_run: false, data: made })
    return exitCodes.done
  },
}

async function importDrops(
  api: Api,
  file: string,
  drops: readonly FiledDrop[],
  call: Call,
  { output }: Context,
): Promise<Json[]> {
  const made: Json[] = []
  const seen = new Map<string, number>()
  for (const drop of drops) {
    output.progress(`drop ${made.length + 1} of ${drops.length}`)
    try {
      const { body, isReplay } = await api.postOnce('/v1/drops', drop.body, importKey(drop.body, seen))
      // What the server remembers is the new drop; it may have been published, or ended, since.
      let now = isReplay ? await api.get(`/v1/drops/${String(body['id'])}`) : body
      if (call.has('publish') && now['status'] === 'draft')
        now = await api.post(`/v1/drops/${String(body['id'])}/publish`)
      made.push(now)
      if (!call.json) {
        output.line(
          `${isReplay ? 'known' : 'made '}  ${String(now['id'])}  ${String(now['status'])}  ${String(now['name'])}`,
        )
      }
    } catch (error) {
      if (!(error instanceof ApiRefusal) || error.param === null) throw error
      const detail = error.message
      throw new CommandError(
        error.exitCode,
        describe(file, { ...drop.locate(error.param), detail }),
        error.facts,
        error,
      )
    }
  }
  return made
}

/** The same for the same drop, in whatever order its fields stand; another for its second copy in one file. */
function importKey(body: FiledDrop['body'], seen: Map<string, number>): string {
  const hash = createHash('sha256').update(canonical(body)).digest('hex').slice(0, 40)
  const copy = (seen.get(hash) ?? 0) + 1
  seen.set(hash, copy)
  return `import-${hash}-${copy}`
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const reason =
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : String(error)
    throw new CommandError(exitCodes.usage, `${resolve(file)}: ${reason}`, {}, error)
  }
}

function describe(file: string, { line, column, detail }: FileProblem): string {
  return `${file}:${line}:${column} ${detail}`
}

function fileError(file: string, problems: readonly FileProblem[]): CommandError {
  const lines = problems.map((one) => describe(file, one))
  const count = `${problems.length} ${problems.length === 1 ? 'mistake' : 'mistakes'}, nothing was made`
  return new CommandError(exitCodes.usage, [...lines, count].join('\n'), { file, problems })
}

export const dropExport: Command = {
  name: 'drop export',
  summary: 'write drops as a file that drop import takes',
  args: [{ usage: '[id]', summary: 'one drop' }],
  options: [
    { flags: '--all', summary: 'every drop, the oldest first' },
    { flags: '--out <file>', summary: 'write to this file, which must not exist, instead of stdout' },
    ...serverOptions,
  ],
  notes: `YAML; with --json, JSON. Ids, counters and status are not in it: an import makes new drops, as drafts.
${serverNotes}`,
  run: async (call, context) => {
    const [id] = call.args
    if ((id === undefined) !== call.has('all')) throw usageError('name one drop, or --all')
    const api = openApi(call, context)
    const found =
      id === undefined
        ? (await api.list('/v1/drops', new URLSearchParams())).data.toReversed()
        : [await api.get(`/v1/drops/${encodeURIComponent(id)}`)]
    const file = { drops: found.map(toFile) }
    const text = call.json ? JSON.stringify(file, null, 2) : stringify(file).trimEnd()
    const out = call.text('out')
    if (out === undefined) context.output.line(text)
    else if (writeNew(out, `${text}\n`)) context.output.note(`${found.length} drops written to ${resolve(out)}`)
    else throw usageError(`${resolve(out)} is there already, and nothing is overwritten`)
    return exitCodes.done
  },
}

/** What the server adds to a drop and to a SKU. A field that is new in the API is exported without a word here. */
const dropFacts = ['id', 'object', 'status', 'created', 'server_time']
const skuFacts = ['id', 'object', 'held', 'sold', 'available']

function toFile(drop: Json): Json {
  const skus = (drop['skus'] as Json[]).map((sku) => without(sku, skuFacts))
  return { ...without(drop, dropFacts), skus }
}

/** Without these fields and those that are null, which is what they are when absent. */
function without(object: Json, names: readonly string[]): Json {
  return Object.fromEntries(Object.entries(object).filter(([name, value]) => !names.includes(name) && value !== null))
}

export const dropList: Command = {
  name: 'drop list',
  summary: 'show the drops, the newest first',
  options: [
    { flags: '--status <status>', summary: 'draft, scheduled, live, paused, sold_out, ended or cancelled' },
    limitOption,
    ...serverOptions,
  ],
  notes: serverNotes,
  run: async (call, context) => {
    const query = new URLSearchParams()
    const status = call.text('status')
    if (status !== undefined) query.set('status', status)
    const found = await openApi(call, context).list('/v1/drops', query, limitOf(call))
    const total = (drop: Json, field: string): number =>
      (drop['skus'] as Json[]).reduce((sum, sku) => sum + Number(sku[field]), 0)
    const columns: Column<Json>[] = [
      { title: 'id', value: (drop) => String(drop['id']) },
      { title: 'status', value: (drop) => String(drop['status']) },
      { title: 'starts', value: (drop) => showTime(drop['starts_at']) },
      { title: 'stock', value: (drop) => total(drop, 'stock'), isNumber: true },
      { title: 'held', value: (drop) => total(drop, 'held'), isNumber: true },
      { title: 'sold', value: (drop) => total(drop, 'sold'), isNumber: true },
      { title: 'name', value: (drop) => String(drop['name']) },
    ]
    printList(found, columns, call, context)
    return exitCodes.done
  },
}
