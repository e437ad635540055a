import { cores, count, usAsMs } from '../report/format.ts'
import { median, spread } from '../summary.ts'
import { penstockName } from './penstock-peer.ts'
import type { Plot, Table } from '../report/report.ts'
import type { PeerLoad, PeerSample } from './measure.ts'

/** A table for each load, with Penstock as a multiple of each peer. Void samples are left out. */
export function peerTables(samples: readonly PeerSample[], loads: readonly PeerLoad[]): Table[] {
  const sound = samples.filter(({ violation }) => violation === null)
  return loads.flatMap((load) => {
    const groups = Map.groupBy(
      sound.filter((sample) => sample.load === load),
      ({ peer }) => peer,
    )
    const own = groups.get(penstockName)
    const ownMedian = own === undefined ? null : median(own.map(({ perSecond }) => perSecond))
    if (groups.size === 0) return []
    const columns = ['median/s', 'min – max', 'Penstock is', 'p50 ms', 'p99 ms', 'cores: server', 'generator', 'others']
    return [
      {
        title: load,
        columns: [
          { title: 'server', align: 'left' as const },
          ...columns.map((title) => ({ title, align: 'right' as const })),
        ],
        rows: [...groups].map(([peer, group]) => {
          const rate = spread(group.map(({ perSecond }) => perSecond))
          const core = (read: 'http' | 'generator' | 'others'): string => {
            const values = group.flatMap(({ cpu }) => cpu?.[read] ?? [])
            return cores(values.length === 0 ? undefined : median(values))
          }
          return [
            peer,
            count(rate.median),
            `${count(rate.min)} – ${count(rate.max)}`,
            ownMedian === null ? '–' : `${(ownMedian / rate.median).toFixed(2)} ×`,
            usAsMs(median(group.map(({ latencyUs }) => latencyUs.p50))),
            usAsMs(median(group.map(({ latencyUs }) => latencyUs.p99))),
            core('http'),
            core('generator'),
            core('others'),
          ]
        }),
        notes: [
          'Every accepted answer has its rows in the server’s own database. Others: PostgreSQL’s processes are of the server.',
          ...[...groups].flatMap(([peer, group]) => shortNotes(peer, group)),
        ],
      },
    ]
  })
}

function shortNotes(peer: string, group: readonly PeerSample[]): string[] {
  const short = group.filter(({ ranOut }) => ranOut)
  return short.map(
    ({ round, elapsedMs }) =>
      `SHORT: ${peer}, run ${round}: its prepared requests were used up after ${(elapsedMs / 1_000).toFixed(1)} s.`,
  )
}

export function peerPlots(samples: readonly PeerSample[]): Plot[] {
  const payments = samples.filter(({ load, violation }) => load === 'payments' && violation === null)
  return [
    {
      title: 'Payments per second, round by round',
      x: { label: 'round', scale: 'linear' },
      y: { label: 'payments/s', scale: 'linear' },
      series: [...Map.groupBy(payments, ({ peer }) => peer)].map(([name, group]) => ({
        name,
        points: group.map(({ round, perSecond }) => [round, perSecond] as const),
      })),
    },
  ]
}
