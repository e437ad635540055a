import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { commands } from './commands/index.ts'
import { exitCodeMeanings } from './exit-code.ts'

/** docs/cli.md and the table of commands say the same. */
const document = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')
const sections = new Map(
  document
    .split(/^### penstock /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
)

it('docs/cli.md has a section for each command, in the order of the help', () => {
  expect([...sections.keys()]).toEqual(commands.map(({ name }) => name))
})

it.each(commands.map((command) => [command.name, command] as const))(
  'docs/cli.md has the arguments and options of %s, no others, and an example',
  (name, { args = [], options = [] }) => {
    const section = sections.get(name) ?? ''
    for (const { flags } of options) expect(section).toContain(`\`${flags}\``)
    for (const { usage } of args) expect(section).toContain(`\`${usage}\``)
    const known = ['--json', ...options.map(({ flags }) => flags.split(' ', 1)[0])]
    const written = [...section.matchAll(/(?<![-\w])--[a-z][a-z-]*/g)].map(([option]) => option)
    expect(written.filter((option) => !known.includes(option))).toEqual([])
    expect(section).toMatch(new RegExp(`\`\`\`sh\n(.*\n)*?penstock ${name}\\b`))
  },
)

it('docs/cli.md has every exit code with its meaning', () => {
  for (const [code, meaning] of Object.entries(exitCodeMeanings)) expect(document).toContain(`| ${code} | ${meaning} |`)
})
