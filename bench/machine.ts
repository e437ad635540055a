import { statfsSync } from 'node:fs'
import os from 'node:os'

export interface Machine {
  readonly cores: number
  readonly model: string
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
  /** Processes waiting for a core, on average over the last minute: not zero means noise. */
  readonly loadAverage: number
  /** Of the folder for temporary files, where every database of the laboratory is. */
  readonly fileSystem: string
}

/** Linux's magic numbers of file systems (statfs(2)). */
const fileSystems: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'XFS',
  0x9123683e: 'Btrfs',
  0x2fc12fc1: 'ZFS',
  0x794c7630: 'overlayfs',
  0x01021994: 'tmpfs',
  0x858458f6: 'ramfs',
}

/** Where a flush does nothing. */
const inMemory = ['tmpfs', 'ramfs']

/** Why no figure can be of something durable here; empty: nothing is known against it. */
export function diskProblems({ fileSystem }: Pick<Machine, 'fileSystem'>): string[] {
  if (!inMemory.includes(fileSystem)) return []
  return [
    `VOID: ${os.tmpdir()} is in memory (${fileSystem}), where a flush costs nothing: set TMPDIR to a folder on a disk`,
  ]
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
    fileSystem: process.platform === 'linux' ? (fileSystems[statfsSync(os.tmpdir()).type] ?? 'unknown') : 'unknown',
  }
}
