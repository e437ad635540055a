import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { currentDocument, goldenText, goldenUrl } from './golden.ts'

/** Writes docs/openapi.json. */
const text = goldenText(currentDocument())
writeFileSync(goldenUrl, text)
console.log(`wrote ${fileURLToPath(goldenUrl)}: ${text.split('\n').length - 1} lines`)
