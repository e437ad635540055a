import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestServer } from '../test-server.ts'
import { packSdk } from './pack.ts'

/** The SDK as its users get it: packed, and put below node_modules of a project that has nothing else. */

const root = join(import.meta.dirname, '..', '..', '..')
let folder: string
let project: string
let tarball: Buffer

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-sdk-'))
  tarball = readFileSync(packSdk(folder))
  project = join(folder, 'project')
  mkdirSync(join(project, 'node_modules', '@penstock'), { recursive: true })
  // Not linked: Node.js would look at the path behind the link.
  renameSync(join(folder, 'package'), join(project, 'node_modules', '@penstock', 'sdk'))
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function exactBuffer({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer {
  return (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength)
}

const installed = (...path: string[]): string => join(project, 'node_modules', '@penstock', 'sdk', ...path)

describe('the packed SDK', () => {
  it('holds built code, declarations, README and LICENSE, and nothing else', () => {
    const files = execFileSync('tar', ['-tzf', '-'], { input: tarball, encoding: 'utf8' }).trim().split('\n')
    const others = files.filter((file) => !/^package\/dist\/[a-z-]+(\.js|\.d\.ts)$/.test(file))
    expect(others.toSorted()).toEqual(['package/LICENSE', 'package/README.md', 'package/package.json'])
    expect(files).toContain('package/dist/index.js')
    expect(files.join()).not.toMatch(/test/)
  })

  it('depends on nothing and imports nothing, but node:crypto where the platform has no Web Crypto', () => {
    const manifest = JSON.parse(readFileSync(installed('package.json'), 'utf8')) as object
    expect(Object.keys(manifest).filter((field) => /dependencies|scripts|bin/i.test(field))).toEqual([])
    const text = execFileSync('sh', ['-c', 'cat *.js'], { cwd: installed('dist'), encoding: 'utf8' })
    const imports = [...text.matchAll(/(?:from|import)\s*\(?(?:\/\*.*?\*\/\s*)*'([^']+)'/g)].map(
      ([, name]) => name ?? '',
    )
    expect([...new Set(imports)].filter((name) => !/^\.\/[a-z-]+\.js$/.test(name))).toEqual(['node:crypto'])
    expect(text).not.toMatch(/\b(Buffer|require)\b/)
  })

  it('passes publint', async () => {
    const { messages, pkg } = await publint({ pack: { tarball: exactBuffer(tarball) }, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  it('has types that resolve wherever ES modules do', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)))
    if (analysis.types === false) return expect.fail('there are no types')
    // It is an ES module, so CommonJS gets at it with import(), and Node.js before `exports` not at all.
    const ignored = ['node10', 'node16-cjs']
    const problems = analysis.problems.filter(
      (problem) => !('resolutionKind' in problem && ignored.includes(problem.resolutionKind)),
    )
    expect(problems).toEqual([])
  })

  it.each(['nodenext', 'bundler'])('type-checks in a browser project with moduleResolution %s', (resolution) => {
    const module = resolution === 'bundler' ? 'esnext' : 'nodenext'
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: [],
      lib: ['es2022', 'dom', 'dom.iterable'],
      module,
      moduleResolution: resolution,
    }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['shop.ts'] }))
    writeFileSync(join(project, 'shop.ts'), typedShop)
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    expect(spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' }).stdout).toBe('')
  })

  it.each([
    ['with the globals of a browser', ['process', 'setImmediate', 'global']],
    ['without Web Crypto as a global, as in Node.js 18', ['crypto']],
  ])('runs %s', async (_, missing) => {
    const server = await TestServer.start()
    server.will({ status: 503, headers: { 'retry-after': '0' } }, { body: { id: 'drop_1', object: 'drop' } })
    writeFileSync(join(project, 'run.js'), smokeTest(server.url, missing))
    const { stdout } = await promisify(execFile)(process.execPath, ['run.js'], { cwd: project })
    await server.stop()
    expect(stdout).toBe('drop_1 evt_1\n')
    const keys = server.received.map(({ headers }) => headers['idempotency-key'])
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/)
    expect(keys[1]).toBe(keys[0])
  })
})

const typedShop = `
import { Penstock, ProblemError, verifyWebhook } from '@penstock/sdk'
import type { Drop, Hold, OrderWithCodes } from '@penstock/sdk'

const penstock = new Penstock({ baseUrl: location.origin, apiKey: 'pk_test_1' })

export async function buy(drop: Drop, signal: AbortSignal): Promise<Hold | null> {
  const lines = drop.skus.map(({ id }) => ({ sku: id, quantity: 1 }))
  try {
    return await penstock.holds.create({ drop: drop.id, lines, customer: { email: 'ada@example.com' } }, { signal })
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'sold_out') return null
    throw error
  }
}

export async function codes(): Promise<string[]> {
  const found: OrderWithCodes[] = []
  for await (const { id } of penstock.orders.list({ status: 'paid' })) found.push(await penstock.orders.retrieve(id))
  return found.flatMap((order) => order.codes.map(({ code }) => code))
}

export const receive = async (request: Request): Promise<string> =>
  (await verifyWebhook(await request.text(), request.headers, 'whsec_AAAA')).data.id

// @ts-expect-error: not a status
penstock.drops.list({ status: 'open' })
// @ts-expect-error: an amount is a number
penstock.payments.create({ hold: 'hold_1', provider: 'manual', provider_payment_id: '1', amount: '49.99', currency: 'usd' })
`

/** Signed by the library of the standard for the time 1,800,000,000. */
function smokeTest(url: string, missing: readonly string[]): string {
  const body = '{"id":"evt_1"}'
  const signature = new Webhook('whsec_c2VjcmV0').sign('msg_1', new Date(1_800_000_000_000), body)
  return `
const print = console.log
for (const name of ${JSON.stringify(missing)}) delete globalThis[name]
const { Penstock, verifyWebhook } = await import('@penstock/sdk')
const drop = await new Penstock({ baseUrl: '${url}', apiKey: 'sk_test_1' }).drops.publish('drop_1')
const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': '1800000000', 'webhook-signature': '${signature}' }
const event = await verifyWebhook('${body}', new Headers(headers), 'whsec_c2VjcmV0', { nowSeconds: 1_800_000_000 })
print(drop.id, event.id)
`
}
