// Preloaded into every process of the box by `bench:soak`: says each second what its heap is like, in a file of its own.
// The box itself has no use for it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { isMainThread } from 'node:worker_threads'

const folder = process.env['BENCH_HEAP_FOLDER']
if (isMainThread && folder !== undefined) {
  setInterval(() => {
    const { heapUsed, external } = process.memoryUsage()
    try {
      writeFileSync(join(folder, String(process.pid)), `${heapUsed} ${external}\n`)
    } catch {
      // The bench is gone; the box will be, too.
    }
  }, 1_000).unref()
}
