import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commands, groups } from './commands/index.ts'
import { exitCodeMeanings } from './exit-code.ts'
import { runForTest } from './test-run.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('help', () => {
  it('penstock --help names every command, every exit code and the documents', async () => {
    const { code, stdout, stderr } = await runForTest(['--help'])
    expect([code, stderr]).toEqual([0, ''])
    for (const { name, summary } of commands)
      expect(stdout).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 20)}`, 'm'))
    for (const [exitCode, meaning] of Object.entries(exitCodeMeanings))
      expect(stdout).toContain(`${exitCode}  ${meaning}`)
    expect(stdout).toContain('docs/cli.md')
  })

  it.each(commands.map((command) => [command.name, command] as const))('penstock %s --help', async (name, command) => {
    const { code, stdout } = await runForTest([...name.split(' '), '--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`^Usage: penstock ${name} `))
    const plain = stdout.replaceAll(/\s+/g, ' ')
    expect(plain).toContain(command.summary)
    for (const { flags, summary } of command.options ?? []) expect(plain).toContain(`${flags} ${summary}`)
    for (const { summary } of command.args ?? []) expect(plain).toContain(summary)
    expect(stdout).toContain('--json')
    // A stranger's terminal has 80 columns, the notes are wrapped by hand at the width of the documents.
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(125)
  })

  it('every group says what it is about, and no line of the table is out of form', () => {
    const used = new Set(commands.flatMap(({ name }) => (name.includes(' ') ? [name.slice(0, name.indexOf(' '))] : [])))
    expect([...used].toSorted()).toEqual(Object.keys(groups).toSorted())
    for (const { name, summary } of commands) {
      expect(name).toMatch(/^[a-z]+( [a-z]+)?$/)
      expect(summary).toMatch(/^[a-z].*[^.]$/)
    }
  })

  it('--version', async () => {
    expect(await runForTest(['--version'])).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' })
  })
})

describe('wrong usage ends with 2, on stderr, and names the nearest', () => {
  it.each<[readonly string[], RegExp]>([
    [['audti'], /unknown command 'audti'\n\(Did you mean audit\?\)/],
    [['drop', 'improt', 'x'], /unknown command 'improt'\n\(Did you mean import\?\)/],
    [['audit', '--dat', 'x'], /unknown option '--dat'\n\(Did you mean --data\?\)/],
    [['audit', '--data'], /option '--data <folder>' argument missing/],
    [['audit', 'here'], /too many arguments/],
    [['order', 'show'], /missing required argument 'id'/],
    [['drop', 'export'], /name one drop, or --all/],
    [['drop', 'export', 'drop_1', '--all'], /name one drop, or --all/],
    [['drop', 'list', '--limit', '0'], /--limit is "0", expected a whole number from 1 to/],
    [['order', 'refund', 'ord_1', '--line', 'sku_1'], /--line is "sku_1", expected SKU=QUANTITY/],
    [['order', 'refund', 'ord_1', '--line', 'sku_1=0'], /--line is "sku_1=0"/],
    [['key', 'create', '--kind', 'public'], /--kind is "public", expected secret or publishable/],
    [['key', 'create', '--days', '1.5'], /--days is "1.5"/],
    [['key', 'roll', 'key_1', '--overlap', '604801'], /--overlap is "604801"/],
    [['drop', 'list', '--url', 'box:80'], /--url is "box:80", expected a URL/],
    [['drop', 'import', 'nowhere.yaml'], /nowhere\.yaml: there is no such file/],
  ])('%j', async (args, message) => {
    const environment = { PENSTOCK_DATA: join(folder, 'data'), PENSTOCK_SECRET_KEY: 'sk_test_0123456789_0123456789' }
    const { code, stdout, stderr } = await runForTest(args, environment)
    expect(stderr).toMatch(message)
    expect([code, stdout]).toEqual([2, ''])
  })

  it.each([[[]], [['drop']]])('%j shows the help on stderr', async (args) => {
    const { code, stdout, stderr } = await runForTest(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^Usage: penstock /)
  })

  it('with --json, an error is one JSON object on stderr', async () => {
    for (const args of [
      ['audit', '--dat', '--json'],
      ['drop', 'export', '--json'],
    ]) {
      const { code, stdout, stderr } = await runForTest(args)
      expect([code, stdout]).toEqual([2, ''])
      expect(JSON.parse(stderr)).toEqual({ error: { exit_code: 2, message: expect.stringMatching(/^\w/) as unknown } })
    }
  })

  it('a setting that is wrong, in any command that reads settings', async () => {
    const { code, stderr } = await runForTest(['audit'], { PENSTOCK_PROT: '1' })
    expect(code).toBe(2)
    expect(stderr).toContain('PENSTOCK_PROT is not a setting')
  })

  it('no key, or a port that nobody knows', async () => {
    const noKey = await runForTest(['drop', 'list', '--data', folder])
    expect([noKey.code, noKey.stderr]).toEqual([2, expect.stringContaining('no secret key')])
    const noPort = await runForTest(['drop', 'list', '--data', folder], { PENSTOCK_PORT: '0' })
    expect([noPort.code, noPort.stderr]).toEqual([2, expect.stringContaining('name it with --url')])
  })
})

describe('config print', () => {
  const secret = 'sk_test_0123456789_0123456789_tail'

  it('says what is in effect and where it comes from, and masks secrets', async () => {
    const environment = { PENSTOCK_SECRET_KEY: secret, PENSTOCK_HOST: '::1', PENSTOCK_PORT: '1' }
    const { code, stdout } = await runForTest(['config', 'print', '--port', '81', '--json'], environment)
    expect(code).toBe(0)
    const { data } = JSON.parse(stdout) as { data: { name: string; value: unknown; source: string }[] }
    expect(data).toContainEqual({ name: 'PENSTOCK_HOST', value: '::1', source: 'environment' })
    expect(data).toContainEqual({ name: 'PENSTOCK_PORT', value: '81', source: 'option --port' })
    expect(data).toContainEqual({ name: 'PENSTOCK_DATA', value: './data', source: 'default' })
    expect(data).toContainEqual({ name: 'PENSTOCK_SECRET_KEY', value: 'sk_test_…tail', source: 'environment' })
    expect(data).toContainEqual({ name: 'PENSTOCK_PUBLISHABLE_KEY', value: null, source: 'default' })
    expect(stdout).not.toContain(secret)
  })

  it('prints a table without colours where stdout is no terminal', async () => {
    const { stdout } = await runForTest(['config', 'print'], { PENSTOCK_SECRET_KEY: secret })
    expect(stdout).toMatch(/^setting +value +from\nPENSTOCK_DATA +\.\/data +default\n/)
    expect(stdout).not.toContain(secret)
    expect(stdout).not.toContain('\u001B')
  })
})

describe('init', () => {
  it('makes a private folder and an example that drop import takes, and overwrites nothing', async () => {
    const [data, file] = [join(folder, 'data'), join(folder, 'mine.yaml')]
    const first = await runForTest(['init', '--data', data, '--file', file, '--json'])
    expect(JSON.parse(first.stdout)).toEqual({ object: 'init', data, data_made: true, file, file_made: true })
    expect(statSync(data).mode & 0o777).toBe(0o700)
    const checked = await runForTest(['drop', 'import', file, '--dry-run'])
    expect([checked.code, checked.stdout]).toEqual([0, `${file}: 1 drop, no mistakes\n`])

    writeFileSync(file, 'mine')
    const second = await runForTest(['init', '--data', data, '--file', file])
    expect(second.code).toBe(0)
    expect(second.stdout.match(/kept, it was there/g)).toHaveLength(2)
    expect(second.stdout).toContain('penstock start')
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })
})
