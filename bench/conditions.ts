import { tmpdir } from 'node:os'
import { readSqliteVersion } from '@penstock/testing/reader.ts'
import { describeMachine } from './machine.ts'

/** Machine and versions, for every report. */
export function machineLines(): string[] {
  const machine = describeMachine()
  return [
    `${machine.cores} cores (${machine.model}), ${machine.memoryGiB} GiB, ${machine.kernel}, load average ${machine.loadAverage.toFixed(2)} at the start`,
    `Node ${machine.node}, SQLite ${readSqliteVersion()}; databases in ${tmpdir()}, file system ${machine.fileSystem}`,
  ]
}

export function boxLine(httpProcesses: number): string {
  return `the box: synchronous FULL (as its writer says), one writer, ${httpProcesses} HTTP processes; the load comes from the same cores`
}
