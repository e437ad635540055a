import { text } from 'node:stream/consumers'
import { Settings } from 'typebox/system'
import { listProblems } from '../json-body.ts'
import { dropCreateBody } from '../schema.ts'

/**
 * Says what the API would refuse, for programs that check a file before they send it: stdin is a JSON list of bodies of
 * POST /v1/drops, stdout a JSON list with the problems of each, `[{"detail","param"}]`. Needs no box.
 */
// TypeBox stops at 8 errors; a file with many mistakes should show them all at once.
Settings.Set({ maxErrors: 10_000 })
const bodies = JSON.parse(await text(process.stdin)) as readonly unknown[]
const problemsOf = listProblems(dropCreateBody)
process.stdout.write(JSON.stringify(bodies.map((body) => problemsOf(body))))
