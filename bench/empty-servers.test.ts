import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { EmptyServers } from './empty-servers.ts'

/** Loaded into each server: the second that starts ends at once. */
const preloaded = `
  import { appendFileSync, readFileSync } from 'node:fs'
  const file = new URL('pids', import.meta.url)
  appendFileSync(file, process.pid + '\\n')
  if (readFileSync(file, 'utf8').split('\\n').length > 2) process.exit(3)
`

test('EmptyServers.start leaves no server behind when one of them fails', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-empty-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  onTestFinished(() => void vi.unstubAllEnvs())
  const file = join(folder, 'preloaded.mjs')
  writeFileSync(file, preloaded)
  vi.stubEnv('NODE_OPTIONS', `--import ${file}`)
  await expect(EmptyServers.start(2)).rejects.toThrow('ended with code 3')
  const pids = readFileSync(join(folder, 'pids'), 'utf8').trim().split('\n').map(Number)
  expect(pids).toHaveLength(2)
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})
