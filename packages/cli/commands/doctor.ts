import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkPortIsFree } from '../check-port.ts'
import { exitCodes } from '../exit-code.ts'
import { allSettingOptions, baseUrl, settingsOf } from '../settings.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { Command, Context } from '../command.ts'

/** What one look found. */
interface Finding {
  readonly name: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly detail: string
  /** What to do about it; null when nothing is wrong. */
  readonly advice: string | null
}

const nodeMajorMin = 24
const freeBytesWarn = 2 * 1024 ** 3
const freeBytesFail = 200 * 1024 ** 2
/** Flushes timed, and the median above which a sale will feel it; below the other bound nothing reaches a disk. */
const flushCount = 25
const flushSlowMs = 10
const flushTooFastMs = 0.01
const pageBytes = 4_096
const answerWaitMs = 1_000

export const doctor: Command = {
  name: 'doctor',
  summary: 'look whether this machine and data folder have what a sale needs',
  options: allSettingOptions,
  notes: 'Changes nothing; writes one small file for a moment to time the disk. Exit code 3: a line says fail.',
  run: async (call, context) => {
    const settings = settingsOf(call, context)
    const findings: Finding[] = []
    for (const look of looks) {
      const finding = await look(settings, context)
      findings.push(finding)
      if (!call.json) print(finding, context)
    }
    const isWell = findings.every(({ status }) => status !== 'fail')
    if (call.json) context.output.json({ object: 'doctor', ok: isWell, data: findings })
    return isWell ? exitCodes.done : exitCodes.unsound
  },
}

function print({ name, status, detail, advice }: Finding, { output }: Context): void {
  const colour = { ok: 'green', warn: 'yellow', fail: 'red' } as const
  output.line(`${output.paint(colour[status], status.padEnd(4))}  ${name.padEnd(12)}  ${detail}`)
  if (advice !== null) output.line(`${' '.repeat(20)}${advice}`)
}

const ok = (name: string, detail: string): Finding => ({ name, status: 'ok', detail, advice: null })
const warn = (name: string, detail: string, advice: string): Finding => ({ name, status: 'warn', detail, advice })
const fail = (name: string, detail: string, advice: string): Finding => ({ name, status: 'fail', detail, advice })

type Look = (settings: Settings, context: Context) => Promise<Finding> | Finding

const looks: readonly Look[] = [
  lookAtNode,
  lookAtHttpLibrary,
  lookAtDatabaseLibrary,
  lookAtFolder,
  lookAtDisk,
  lookAtFlushes,
  lookAtSchema,
  lookAtWriter,
  lookAtCourier,
  lookAtPort,
]

function lookAtNode(): Finding {
  const { node } = process.versions
  if (Number.parseInt(node, 10) >= nodeMajorMin) return ok('node', `Node.js ${node}`)
  return fail('node', `Node.js ${node}`, `Install Node.js ${nodeMajorMin} or newer.`)
}

/** Asked in a process of its own: a native library that does not fit may end it. */
function lookAtHttpLibrary({ transport }: Settings, { environment }: Context): Finding {
  const probe = fileURLToPath(new URL('../../http/probe-transport/main.ts', import.meta.url))
  const { stdout, status, signal } = spawnSync(process.execPath, [probe], { encoding: 'utf8', env: environment })
  if (transport === 'node')
    return warn('http', 'node:http, as PENSTOCK_TRANSPORT says', 'auto is several times faster.')
  const found = status === 0 ? (JSON.parse(stdout) as { library: string; how?: string; reason?: string }) : null
  if (found?.library === 'uws') return ok('http', `uWebSockets.js loads (${String(found.how)})`)
  const reason = found?.reason ?? `it ended the process that tried it (${signal ?? `exit code ${status}`})`
  if (transport === 'uws') return fail('http', reason, 'PENSTOCK_TRANSPORT is uws: the box will not start. Use auto.')
  return warn(
    'http',
    `falls back to node:http: ${reason}`,
    'It works, several times slower: docs/adr/0002-uwebsockets-loader.md',
  )
}

async function lookAtDatabaseLibrary(_: Settings, { openMaintenance }: Context): Promise<Finding> {
  try {
    return ok('database', (await openMaintenance()).engine)
  } catch (error) {
    return fail(
      'database',
      `better-sqlite3 does not load: ${messageOf(error)}`,
      'Install again with this Node.js: npm start.',
    )
  }
}

function lookAtFolder({ dataFolder }: Settings): Finding {
  const folder = resolve(dataFolder)
  const probe = join(nearestFolder(folder), `.penstock-doctor-${randomUUID()}`)
  try {
    closeSync(openSync(probe, 'wx', 0o600))
    rmSync(probe)
  } catch (error) {
    return fail('data folder', `${folder}: ${messageOf(error)}`, 'Make it a folder of the user that runs the box.')
  }
  if (!existsSync(folder)) return ok('data folder', `${folder} (not there yet: the first start makes it)`)
  const isOpen = [folder, join(folder, 'bootstrap-keys.json'), join(folder, 'penstock.db')].find(
    (path) => existsSync(path) && (statSync(path).mode & 0o077) !== 0,
  )
  if (isOpen === undefined) return ok('data folder', folder)
  return warn('data folder', `${isOpen} can be read by other users`, `chmod go= ${isOpen}`)
}

function lookAtDisk({ dataFolder }: Settings): Finding {
  const { bavail, bsize } = statfsSync(nearestFolder(resolve(dataFolder)))
  const free = bavail * bsize
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free`
  if (free < freeBytesFail) return fail('disk', detail, 'A full disk stops the writer: make room first.')
  if (free < freeBytesWarn)
    return warn('disk', detail, 'A million orders take about 1 GiB: make room before a big sale.')
  return ok('disk', detail)
}

/** Every group commit waits for one flush: this is how long a buyer waits at least. */
function lookAtFlushes({ dataFolder }: Settings): Finding {
  try {
    const meanMs = timeFlushes(join(nearestFolder(resolve(dataFolder)), `.penstock-doctor-${randomUUID()}`))
    const detail = `a flush to disk takes ${meanMs.toFixed(2)} ms`
    if (meanMs > flushSlowMs) return warn('flush', detail, 'Payments wait for it: use a local SSD, not a network disk.')
    if (meanMs < flushTooFastMs) {
      return warn('flush', detail, 'That is memory, not a disk: a power cut would take acknowledged payments along.')
    }
    return ok('flush', detail)
  } catch (error) {
    return fail('flush', messageOf(error), 'The data folder must take files.')
  }
}

/** Milliseconds of one write and flush, on average, in a new file that is removed again. */
function timeFlushes(path: string): number {
  const file = openSync(path, 'wx', 0o600)
  try {
    const page = Buffer.alloc(pageBytes)
    const startMs = performance.now()
    for (let count = 0; count < flushCount; count++) {
      writeSync(file, page)
      fsyncSync(file)
    }
    return (performance.now() - startMs) / flushCount
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
}

async function lookAtSchema({ dataFolder }: Settings, { openMaintenance }: Context): Promise<Finding> {
  try {
    const maintenance = await openMaintenance()
    const { schemaVersion } = maintenance
    const version = maintenance.readSchemaVersion(dataFolder)
    if (version === null) return ok('schema', `no database yet; this release makes schema ${schemaVersion}`)
    if (version === schemaVersion) return ok('schema', `schema ${version}, as this release has`)
    const detail = `schema ${version}, this release has ${schemaVersion}`
    if (version > schemaVersion) return fail('schema', detail, 'The database is of a newer release: run that one.')
    return warn('schema', detail, 'The next start migrates it, or penstock migrate. Copy the data folder first.')
  } catch (error) {
    return fail('schema', messageOf(error), 'The database cannot be read.')
  }
}

async function lookAtWriter({ dataFolder }: Settings): Promise<Finding> {
  const running = await isWriterRunning(dataFolder)
  return ok('writer', running ? 'a writer runs on this data folder' : 'no writer runs: the box is stopped')
}

async function lookAtCourier({ dataFolder }: Settings, { openMaintenance }: Context): Promise<Finding> {
  try {
    const maintenance = await openMaintenance()
    if (maintenance.isCourierRunning(dataFolder)) return ok('courier', 'a courier runs on this data folder')
  } catch (error) {
    return fail('courier', messageOf(error), 'Its lock cannot be read.')
  }
  if (!(await isWriterRunning(dataFolder))) return ok('courier', 'no courier runs: the box is stopped')
  return warn('courier', 'no courier runs, though the writer does', 'Nobody sends webhooks: see the log of the box.')
}

async function isWriterRunning(dataFolder: string): Promise<boolean> {
  const socket = createConnection(join(dataFolder, 'writer.sock'))
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(answerWaitMs) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** The port is free for a start, or it is this box that has it. */
async function lookAtPort({ host, port, dataFolder }: Settings): Promise<Finding> {
  const url = baseUrl(host, port)
  if (port === 0) return ok('port', 'the system picks a free one')
  try {
    await checkPortIsFree(host, port)
    if (!(await isWriterRunning(dataFolder))) return ok('port', `${url} is free`)
    return warn(
      'port',
      `nothing answers at ${url}, though the writer runs`,
      'Does the box have another port (PENSTOCK_PORT)?',
    )
  } catch (error) {
    const isBox = (await ask(`${url}/v1/drops`)).text.includes('urn:penstock:problem:')
    if (!isBox) return fail('port', messageOf(error), 'Another program has it: stop that one, or set PENSTOCK_PORT.')
    const { status } = await ask(`${url}/readyz`)
    if (status === 200) return ok('port', `a box answers at ${url} and is ready`)
    return fail('port', `a box answers at ${url}, but is not ready`, 'It has no writer: see its log.')
  }
}

/** What came; status 0 when that was not HTTP. Without a key, so Penstock refuses in its own words. */
async function ask(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerWaitMs) })
    return { status: response.status, text: await response.text() }
  } catch {
    return { status: 0, text: '' }
  }
}

/** `folder`, or the nearest one above it that exists. */
function nearestFolder(folder: string): string {
  let nearest = folder
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest)
  return nearest
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
