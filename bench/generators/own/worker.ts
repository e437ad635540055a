import { LoadLoop } from './load-loop.ts'
import type { WorkerOrder, WorkerTally } from './load-loop.ts'

/** One process of the generator. Started by own.ts, which tells it what to do and when. */
export type ToWorker = { readonly order: WorkerOrder } | 'go'
export type FromWorker = 'connected' | { readonly tally: WorkerTally } | { readonly failed: string }

const tell = (message: FromWorker, then: () => void = () => undefined): void => void process.send?.(message, then)

let loop: LoadLoop | null = null
process.on('message', (message: ToWorker) => {
  if (message === 'go') return loop?.start()
  loop = new LoadLoop(message.order, (tally) => tell({ tally }, () => process.exit(0)))
  loop.connect().then(
    () => tell('connected'),
    (error: unknown) => tell({ failed: String(error) }, () => process.exit(1)),
  )
})
process.on('disconnect', () => process.exit(1))
