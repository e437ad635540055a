/**
 * Calls `stop` once, when whoever started this process wants it to end: by SIGINT or SIGTERM, by PM2's message, or by
 * being gone itself. `onFailed` gets what `stop` rejects with.
 */
export function onStopSignal(stop: () => Promise<void>, onFailed: (error: unknown) => void): void {
  let stopping = false
  const once = (): void => {
    if (stopping) return
    stopping = true
    stop().catch(onFailed)
  }
  process.on('SIGINT', once)
  process.on('SIGTERM', once)
  process.on('disconnect', once)
  process.on('message', (message) => {
    if (message === 'shutdown') once()
  })
}
