import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parentOf, parseHeap, residentMiB } from './memory.ts'
import type { Box } from '@penstock/testing/box.ts'
import type { Trace } from './memory.ts'

const preloaded = new URL('report-heap.mjs', import.meta.url)
const lookMs = 1_000

/** Looks at every process of a box, and at its WAL, once a second. */
export class MemoryWatch {
  readonly #folder = mkdtempSync(join(tmpdir(), 'penstock-bench-heap-'))
  readonly #traces: (Trace & { readonly points: [number, number][] })[] = []
  readonly #ended = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** What the box must be started with, so that its processes say what their heaps are like. */
  get environment(): Record<string, string> {
    const options = `${process.env['NODE_OPTIONS'] ?? ''} --import ${fileURLToPath(preloaded)}`.trim()
    return { NODE_OPTIONS: options, BENCH_HEAP_FOLDER: this.#folder }
  }

  start(box: Box): void {
    const { writer, http, courier } = box.pids
    const named: [string, number | null][] = [
      ['writer', writer],
      ...http.map((pid, place): [string, number | null] => [`http ${place + 1}`, pid]),
      ['courier', courier],
      ['supervisor', writer === null ? null : parentOf(writer)],
    ]
    const looks: (() => number | null)[] = []
    const add = (name: string, kind: Trace['kind'], look: () => number | null): void => {
      this.#traces.push({ name, kind, points: [] })
      looks.push(look)
    }
    for (const [name, pid] of named) {
      if (pid === null) continue
      add(name, 'resident', () => {
        const mib = residentMiB(pid)
        if (mib === null) this.#ended.add(name)
        return mib
      })
      add(name, 'heap', () => this.#heapMiB(pid))
    }
    add('database', 'wal', () => (statSync(`${box.databasePath}-wal`, { throwIfNoEntry: false })?.size ?? 0) / 2 ** 20)
    const startedMs = performance.now()
    this.#timer = setInterval(() => {
      const seconds = (performance.now() - startedMs) / 1_000
      for (const [place, { points }] of this.#traces.entries()) {
        const mib = looks[place]?.() ?? null
        if (mib !== null) points.push([seconds, mib])
      }
    }, lookMs)
  }

  /** What each process has now, by its name. */
  latest(): (readonly [name: string, mib: number])[] {
    return this.#traces.flatMap(({ name, kind, points }) => {
      const last = points.at(-1)
      return kind !== 'resident' || last === undefined ? [] : [[name, last[1]] as const]
    })
  }

  /** Processes that were gone at some look: what is traced is not all of them. */
  get ended(): readonly string[] {
    return [...this.#ended]
  }

  /** No more looks; what was seen. */
  stop(): readonly Trace[] {
    clearInterval(this.#timer)
    return this.#traces
  }

  close(): void {
    this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #heapMiB(pid: number): number | null {
    try {
      return parseHeap(readFileSync(join(this.#folder, String(pid)), 'latin1'))
    } catch {
      return null
    }
  }
}
