import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { packSdk } from './pack.ts'

/** `npm run sdk:pack -- [folder]`: the tarball that `npm publish` takes. */
const [folder] = process.argv.slice(2)
if (folder?.startsWith('-') === true) {
  console.log('usage: npm run sdk:pack -- [folder]')
  process.exit(folder === '--help' ? 0 : 2)
}
if (folder !== undefined) mkdirSync(folder, { recursive: true })
const target = folder === undefined ? mkdtempSync(join(tmpdir(), 'penstock-sdk-')) : resolve(folder)
console.log(packSdk(target))
