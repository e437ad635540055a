import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { PeerProcess } from './peer-process.ts'
import { peerCountSql } from './peer-rows.ts'
import type { RowCounts } from '../row-counts.ts'
import type { Contestant, Peer } from './contestant.ts'

const fastifyMain = fileURLToPath(new URL('fastify-sqlite/main.ts', import.meta.url))
const goFolder = fileURLToPath(new URL('go-fiber/', import.meta.url))
const goProgram = fileURLToPath(new URL('../results/go-fiber', import.meta.url))
/** The first build compiles SQLite. */
const goBuildMsMax = 600_000

export function fastifySqlite(synchronous: 'FULL' | 'NORMAL'): Peer {
  return {
    name: `Fastify + better-sqlite3, ${synchronous}`,
    description: `one process, one connection, one transaction per request, synchronous ${synchronous}${synchronous === 'NORMAL' ? ' (a power cut loses acknowledged payments)' : ''}`,
    prepare: () => Promise.resolve(null),
    start: () => startSqlitePeer(process.execPath, [fastifyMain], { PEER_SYNCHRONOUS: synchronous }),
  }
}

export const goFiber: Peer = {
  name: 'Go Fiber + SQLite',
  description:
    'Fiber v3, one write connection, four readers, one transaction per request, synchronous FULL: the old design',
  prepare: (onStatus, signal) => {
    onStatus('building the Go peer (a minute or two the first time)')
    return buildGo(signal)
  },
  start: () => startSqlitePeer(goProgram, [], {}),
}

async function startSqlitePeer(file: string, args: string[], environment: Record<string, string>): Promise<Contestant> {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-peer-'))
  try {
    const peer = await PeerProcess.start(file, args, { PEER_FOLDER: folder, ...environment })
    return {
      sale: peer.sale,
      pids: () => [peer.pid],
      countRows: () => countRows(join(folder, 'peer.db')),
      audit: () => Promise.resolve(null),
      close: async () => {
        await peer.stop()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

function countRows(path: string): RowCounts {
  const db = new Database(path, { readonly: true })
  try {
    return db.prepare<[], RowCounts>(peerCountSql).get() as RowCounts
  } finally {
    db.close()
  }
}

/** Null when it is built. */
function buildGo(signal: AbortSignal): Promise<string | null> {
  mkdirSync(fileURLToPath(new URL('../results/', import.meta.url)), { recursive: true })
  return new Promise((resolve) => {
    const child = spawn('go', ['build', '-o', goProgram, '.'], {
      cwd: goFolder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, CGO_ENABLED: '1' },
      timeout: goBuildMsMax,
      signal,
    })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.once('error', (error) => resolve(`Go is not here: ${error.message}`))
    child.once('close', (code) => resolve(code === 0 ? null : `go build failed: ${errors.trim().slice(-300)}`))
  })
}
