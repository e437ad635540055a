import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PeerProcess, schemaPath } from './peer-process.ts'
import { peerCountSql } from './peer-rows.ts'
import { findPostgres, PostgresCluster } from './postgres-cluster.ts'
import type { RowCounts } from '../row-counts.ts'
import type { Peer } from './contestant.ts'

const main = fileURLToPath(new URL('fastify-postgres/main.ts', import.meta.url))
/** Connections; more wait longer for the hot row's lock on two cores. */
const poolSize = 10

export const fastifyPostgres: Peer = {
  name: 'Fastify + PostgreSQL',
  description: `one process, ${poolSize} connections, one transaction per request, row locks, synchronous_commit on`,
  prepare: () => Promise.resolve(findPostgres() === null ? 'there is no postgres and initdb here' : null),
  start: async () => {
    const cluster = await PostgresCluster.start(findPostgres() ?? '')
    try {
      await cluster.query(readFileSync(schemaPath, 'utf8'))
      const peer = await PeerProcess.start(process.execPath, [main], {
        PEER_DATABASE: cluster.url,
        PEER_POOL: String(poolSize),
      })
      return {
        sale: peer.sale,
        pids: () => [peer.pid, ...cluster.pids],
        countRows: async () =>
          numbers((await cluster.query(peerCountSql))[0]?.rows[0] as Record<keyof RowCounts, string>),
        audit: () => Promise.resolve(null),
        close: async () => {
          await peer.stop()
          await cluster.stop()
        },
      }
    } catch (error) {
      await cluster.stop()
      throw error
    }
  },
}

/** PostgreSQL sends a bigint as a text. */
function numbers(row: Record<keyof RowCounts, string>): RowCounts {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)])) as unknown as RowCounts
}
