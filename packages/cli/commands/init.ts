import { mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { exitCodes } from '../exit-code.ts'
import { facts } from '../output.ts'
import { dataOption, settingsOf } from '../settings.ts'
import type { Command } from '../command.ts'

const example = `# Drops for: penstock drop import drops.yaml --publish
# Amounts are whole minor units (4999 is 49.99 usd, and 4999 is 4999 jpy); times are Unix seconds. Every field: docs/api.md
drops:
  - name: Friday drop
    currency: usd
    max_per_customer: 2
    hold_ttl: 600 # seconds that a buyer has to pay
    skus:
      - name: Size 41
        unit_amount: 4999
        stock: 100
      - name: Size 42
        unit_amount: 4999
        stock: 250
`

export const init: Command = {
  name: 'init',
  summary: 'make a data folder and an example file of drops, and say what to do next',
  options: [dataOption, { flags: '--file <file>', summary: 'where to put the example (drops.yaml)' }],
  notes: 'Never overwrites anything: what is there is kept.',
  run: (call, context) => {
    const dataFolder = resolve(settingsOf(call, context).dataFolder)
    const file = resolve(call.text('file') ?? 'drops.yaml')
    // For its owner only: keys and buyers will be in it.
    const madeFolder = mkdirSync(dataFolder, { recursive: true, mode: 0o700 }) !== undefined
    const madeFile = writeNew(file, example)
    if (call.json) {
      context.output.json({ object: 'init', data: dataFolder, data_made: madeFolder, file, file_made: madeFile })
      return exitCodes.done
    }
    // The commands must find the folder that was named here.
    const data = call.text('data') === undefined ? '' : ` --data ${dataFolder}`
    const say = (made: boolean): string => (made ? 'made' : 'kept, it was there')
    for (const line of [
      `data folder  ${dataFolder}  (${say(madeFolder)})`,
      `drop file    ${file}  (${say(madeFile)})`,
      '',
      'Next:',
      ...facts([
        [`  penstock doctor${data}`, 'is this machine ready?'],
        [`  penstock start${data} --no-seed`, 'run the box; it prints its keys'],
        [`  penstock drop import ${file}${data} --publish`, 'in another terminal: sell what the file says'],
      ]),
      '',
      'In a clone of the repository, penstock is: npm run penstock --',
    ]) {
      context.output.line(line)
    }
    return exitCodes.done
  },
}

/** False, and nothing written, when there is such a file already. */
export function writeNew(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}
