import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadLibrary } from './load-library.ts'

/**
 * The yardstick for reads: uWebSockets.js answering 200 with an empty body to everything, in a process of its own.
 * Started by empty-servers.ts with the port as its argument; several share one port, as the HTTP processes do.
 */
const port = Number(process.argv[2])
const cacheFolder = mkdtempSync(join(tmpdir(), 'penstock-bench-uws-'))
const library = await loadLibrary(cacheFolder)
// Loaded; the file is not needed any more.
rmSync(cacheFolder, { recursive: true, force: true })
library
  .App()
  .get('/*', (res) => {
    res.end('')
  })
  .listen('127.0.0.1', port, (socket) => {
    if (socket === false) throw new Error(`cannot listen on port ${port}`)
    process.send?.('ready')
  })
process.on('disconnect', () => process.exit(0))
