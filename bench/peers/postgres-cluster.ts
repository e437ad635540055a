import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { ChildProcess } from 'node:child_process'

const debianFolder = '/usr/lib/postgresql'
const startMsMax = 20_000

/** Ends the server when its standard input is closed, so that it cannot outlive the bench. At once: the data is thrown away. */
const guard = '"$@" & server=$!; cat >/dev/null; kill -QUIT $server; wait $server'

/** For two cores and a database that fits into memory; as durable as it comes. */
const settings = {
  listen_addresses: '',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  max_connections: '64',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  jit: 'off',
  autovacuum_naptime: '10s',
}

/** The folder with `postgres` and `initdb`, or null: the PATH's first, then the newest of Debian's. */
export function findPostgres(): string | null {
  const onPath = (process.env['PATH'] ?? '').split(':')
  const debian = existsSync(debianFolder)
    ? readdirSync(debianFolder)
        .toSorted((a, b) => Number(b) - Number(a))
        .map((version) => join(debianFolder, version, 'bin'))
    : []
  return (
    [...onPath, ...debian].find((bin) => existsSync(join(bin, 'postgres')) && existsSync(join(bin, 'initdb'))) ?? null
  )
}

/** PostgreSQL will not run as root: then it runs as `nobody`. */
function unprivileged(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout)
  return { uid: id('-u'), gid: id('-g') }
}

/** A cluster of its own in a temporary folder, on a Unix socket only. */
export class PostgresCluster {
  readonly url: string
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child
    this.#folder = folder
    this.url = url
  }

  static async start(bin: string): Promise<PostgresCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-pg-'))
    const user = unprivileged()
    if (user !== null) chownSync(folder, user.uid, user.gid)
    chmodSync(folder, 0o700)
    const data = join(folder, 'data')
    const init = spawnSync(
      join(bin, 'initdb'),
      ['-D', data, '-U', 'bench', '-A', 'trust', '--encoding=UTF8', '--locale=C'],
      {
        encoding: 'utf8',
        cwd: folder,
        ...user,
      },
    )
    if (init.status !== 0) {
      rmSync(folder, { recursive: true, force: true })
      throw new Error(`initdb failed: ${init.stderr}`)
    }
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn('/bin/sh', ['-c', guard, 'sh', join(bin, 'postgres'), '-D', data, '-k', folder, ...options], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: folder,
      ...user,
    })
    const cluster = new PostgresCluster(
      child,
      folder,
      `postgresql://bench@/postgres?host=${encodeURIComponent(folder)}`,
    )
    try {
      await cluster.#untilReady()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** The server and its processes: one for each connection. */
  get pids(): number[] {
    const pid = Number(readFileSync(join(this.#folder, 'data/postmaster.pid'), 'utf8').split('\n', 1)[0])
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    return [
      pid,
      ...stdout
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map(Number),
    ]
  }

  async query(sql: string): Promise<pg.QueryResult[]> {
    const client = new pg.Client({ connectionString: this.url })
    await client.connect()
    try {
      const results = (await client.query(sql)) as pg.QueryResult | pg.QueryResult[]
      return Array.isArray(results) ? results : [results]
    } finally {
      await client.end()
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit')
      this.#child.stdin?.end()
      await ended
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #untilReady(): Promise<void> {
    const deadlineMs = performance.now() + startMsMax
    for (;;) {
      try {
        await this.query('SELECT 1')
        return
      } catch (error) {
        if (this.#child.exitCode !== null || performance.now() > deadlineMs) throw error
        await sleep(50)
      }
    }
  }
}
