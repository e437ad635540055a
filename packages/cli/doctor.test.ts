import { mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { acquireWriterLock } from '@penstock/store-sqlite/lock.ts'
import { sqliteMaintenance } from '@penstock/store-sqlite/maintenance.ts'
import { runForTest } from './test-run.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-doctor-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

interface Findings {
  readonly data: readonly { readonly name: string; readonly status: string; readonly detail: string }[]
}

it.each([
  ['neither runs', false, false, 'ok', 'no courier runs: the box is stopped'],
  ['only the writer runs', true, false, 'warn', 'no courier runs, though the writer does'],
  ['only the courier runs: it waits', false, true, 'ok', 'a courier runs on this data folder'],
  ['both run', true, true, 'ok', 'a courier runs on this data folder'],
])('doctor looks at the courier: %s', async (_, hasWriter, hasCourier, status, detail) => {
  const writer = createServer((socket) => socket.end())
  if (hasWriter) await once(writer.listen(join(folder, 'writer.sock')), 'listening')
  const lock = hasCourier ? acquireWriterLock(join(folder, 'courier.lock')) : null
  try {
    const openMaintenance = () => Promise.resolve(sqliteMaintenance)
    const { stdout } = await runForTest(['doctor', '--json', '--data', folder, '--port', '0'], {}, { openMaintenance })
    const { data } = JSON.parse(stdout) as Findings
    expect(data.find(({ name }) => name === 'courier')).toMatchObject({ status, detail })
  } finally {
    lock?.release()
    writer.close()
  }
})
