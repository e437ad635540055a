import { describe, expect, it } from 'vitest'
import { readDropFile } from './drop-file.ts'

const good = `
drops:
  - name: A
    currency: usd
    skus:
      - name: x
        unit_amount: 1
        stock: 2
`

function problemsOf(text: string): string[] {
  const read = readDropFile(text)
  return 'problems' in read ? read.problems.map(({ line, column, detail }) => `${line}:${column} ${detail}`) : []
}

describe('readDropFile', () => {
  it.each([
    ['drops: in YAML', good],
    ['a list', '- {name: A, currency: usd, skus: [{name: x, unit_amount: 1, stock: 2}]}'],
    ['one drop', 'name: A\ncurrency: usd\nskus:\n- {name: x, unit_amount: 1, stock: 2}\n'],
    ['JSON', '{"drops":[{"name":"A","currency":"usd","skus":[{"name":"x","unit_amount":1,"stock":2}]}]}'],
  ])('takes %s', (_, text) => {
    const read = readDropFile(text)
    const body = { name: 'A', currency: 'usd', skus: [{ name: 'x', unit_amount: 1, stock: 2 }] }
    expect('drops' in read && read.drops.map((drop) => drop.body)).toEqual([body])
  })

  it('follows aliases', () => {
    const [first, second] = ['&skus [{name: x, unit_amount: 1, stock: 2}]', '*skus'].map(
      (skus) => `- name: A\n  currency: usd\n  skus: ${skus}\n`,
    )
    const read = readDropFile(`${first}${second}`)
    const skus = [{ name: 'x', unit_amount: 1, stock: 2 }]
    expect('drops' in read && read.drops.map(({ body }) => body['skus'])).toEqual([skus, skus])
  })

  it('names every mistake at once, where it stands, with its bounds', () => {
    expect(
      problemsOf(`drops:
  - name: ""
    currency: usdd
    colour: red
    skus:
      - name: x
        unit_amount: 49.99
        stock: -1
      - {name: y, stock: 3}
  - currency: usd
  - just a text
`),
    ).toEqual([
      '2:5 name must be a text, 1 to 200 characters.',
      '3:5 currency must be a lower-case ISO 4217 code that Penstock knows, such as usd.',
      '4:5 colour is not a known field.',
      '7:9 skus[0].unit_amount must be a whole number of minor units from 0 to 1000000000000.',
      '8:9 skus[0].stock must be a whole number from 0 to 100000000.',
      '9:9 skus[1].unit_amount is required.',
      '10:5 name is required.',
      '10:5 skus is required.',
      '11:5 The body must be object.',
    ])
  })

  it('shows more than a handful of them', () => {
    const skus = Array.from({ length: 50 }, () => '  - {name: x, unit_amount: 1, stock: many}').join('\n')
    expect(problemsOf(`name: A\ncurrency: usd\nskus:\n${skus}\n`)).toHaveLength(50)
  })

  it.each([
    ['nothing', '', '1:1 expected drops:'],
    ['a text', 'hello', '1:1 expected drops:'],
    ['an empty list', 'drops: []', '1:1 expected drops:'],
    ['no list', 'drops: 5', '1:1 expected drops:'],
    ['a field beside drops', 'drops: [{}]\nmore: 1', '1:1 expected drops:'],
    ['bad YAML', 'drops:\n  - name: "A', '2:13 not valid YAML'],
    ['a field twice', 'name: A\nname: B\n', '2:1 not valid YAML: Map keys must be unique'],
    ['bad indentation', 'drops:\n - name: A\n   skus: [\n', '4:1 not valid YAML'],
    ['a tag', 'name: !secret A\n', '1:7 not valid YAML: Unresolved tag'],
    ['two documents', 'name: A\n---\nname: B\n', '2:1 not valid YAML'],
    ['an unknown alias', 'name: *x\n', '1:1 not valid YAML: Unresolved alias'],
  ])('refuses %s', (_, text, start) => {
    expect(problemsOf(text)[0]).toContain(start)
  })

  it('says only the first thing that is wrong with a file that is no YAML', () => {
    expect(problemsOf('<html>\n<body class="x">\n  a: b: c\n\t- [\n}\n')).toHaveLength(1)
  })

  it('locates the field a server names, or the nearest thing around it', () => {
    const read = readDropFile(good)
    if ('problems' in read) throw new Error('the file is good')
    const [drop] = read.drops
    const at = (param: string | null) => Object.values(drop?.locate(param) ?? {}).join(':')
    expect([
      at(null),
      at('currency'),
      at('skus[0].stock'),
      at('skus[0].nothing'),
      at('skus[7]'),
      at('ends_at'),
    ]).toEqual(['3:5', '4:5', '8:9', '6:9', '5:5', '3:5'])
  })
})
