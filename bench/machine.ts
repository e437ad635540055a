import os from 'node:os'

export interface Machine {
  readonly cores: number
  readonly model: string
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
  /** Processes waiting for a core, on average over the last minute: not zero means noise. */
  readonly loadAverage: number
}

export function describeMachine(): Machine {
  const [first] = os.cpus()
  return {
    cores: os.availableParallelism(),
    model: first?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    loadAverage: os.loadavg()[0] ?? 0,
  }
}
