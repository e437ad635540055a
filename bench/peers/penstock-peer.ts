import { Lab } from '../lab.ts'
import type { Peer } from './contestant.ts'

export const penstockName = 'Penstock'

export const penstock = boxPeer(penstockName, 'uws', 'two HTTP processes, one writer, group commit, synchronous FULL')
export const penstockOnNode = boxPeer(
  'Penstock on node:http',
  'node',
  'the same routes and writer, node:http instead of uWebSockets.js',
)

function boxPeer(name: string, transport: 'uws' | 'node', description: string): Peer {
  return {
    name,
    description,
    prepare: () => Promise.resolve(null),
    start: async () => {
      const lab = await Lab.open({ httpProcesses: 2, transport })
      const { pids } = lab.box
      return {
        sale: lab.sale,
        pids: () => [...pids.http, pids.writer, pids.courier].flatMap((pid) => pid ?? []),
        countRows: () => lab.readDatabase().rows,
        audit: (signal) => lab.audit(signal),
        close: () => lab.close(),
      }
    },
  }
}
