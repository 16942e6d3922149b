import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'

const root = resolve(import.meta.dirname, '../..')

/** Which room may import which other; design, "Rooms". A room may always import itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/wire': [],
  'src/platform': [],
  'src/otlp': ['src/wire'],
  'src/config': ['src/platform'],
  'src/pipeline': ['src/otlp', 'src/config', 'src/platform'],
  'src/kit': ['src/pipeline', 'src/otlp', 'src/wire', 'src/config', 'src/platform'],
  'src/components': [
    'src/kit',
    'src/pipeline',
    'src/otlp',
    'src/wire',
    'src/config',
    'src/platform',
  ],
  'src/service': ['src/pipeline', 'src/config', 'src/otlp', 'src/platform', 'src/kit'],
  'src/ui': ['src/service', 'src/kit'],
  'src/cli': [
    'src/components',
    'src/service',
    'src/ui',
    'src/kit',
    'src/pipeline',
    'src/config',
    'src/otlp',
    'src/wire',
    'src/platform',
  ],
  bin: ['src/cli', 'src/platform'],
}

/** The parts of a room that only some may import. */
const onlyBinAndTests = 'src/platform/node'

interface Import {
  readonly from: string
  readonly to: string
}

const sources = globSync(['src/**/*.ts', 'bin/**/*.ts'], { cwd: root }).filter(
  (file) => !file.endsWith('.test.ts'),
)

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(
    /^(?:import|export)\b[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm,
  )
  return Array.from(found, (match) => ({ from: file, to: match[1] ?? match[2] ?? match[3] }))
}

function roomOf(file: string): string {
  return file.startsWith('bin/') ? 'bin' : file.split('/').slice(0, 2).join('/')
}

function ours(one: Import): string {
  return relative(root, resolve(root, dirname(one.from), one.to))
}

const allImports = sources.flatMap(importsOf)
const ownImports = allImports.filter((one) => one.to.startsWith('.'))

test('there are sources to look at', () => {
  assert.ok(sources.length > 20 && ownImports.length > 20)
})

test('each room imports only the rooms that the design allows it', () => {
  const broken = ownImports.filter((one) => {
    const [room, target] = [roomOf(one.from), roomOf(ours(one))]
    return room !== target && !mayImport[room]?.includes(target)
  })
  assert.deepEqual(broken, [])
})

test('platform/node is imported by bin alone', () => {
  const broken = ownImports.filter(
    (one) =>
      ours(one).startsWith(onlyBinAndTests) &&
      roomOf(one.from) !== 'bin' &&
      !one.from.startsWith(onlyBinAndTests),
  )
  assert.deepEqual(broken, [])
})

test('no component imports another component', () => {
  const folderOf = (file: string) => file.split('/').slice(0, 4).join('/')
  const broken = ownImports.filter(
    (one) =>
      one.from.startsWith('src/components/') &&
      one.from !== 'src/components/catalog.ts' &&
      ours(one).startsWith('src/components/') &&
      folderOf(one.from) !== folderOf(ours(one)),
  )
  assert.deepEqual(broken, [])
})

test('wire and otlp use nothing of Node', () => {
  const broken = allImports.filter(
    (one) => /^src\/(wire|otlp)\//.test(one.from) && !one.to.startsWith('.'),
  )
  const buffers = sources.filter(
    (file) =>
      /^src\/(wire|otlp)\//.test(file) &&
      /\bBuffer\b|\bprocess\./.test(withoutComments(readFileSync(join(root, file), 'utf8'))),
  )
  assert.deepEqual([broken, buffers], [[], []])
})

test('clock, randomness, environment and exit are reached through platform only', () => {
  const forbidden =
    /\b(Date\.now|Math\.random|performance\.now|process\.(env|exit|hrtime)|set(Timeout|Interval))\(?/
  const broken = sources.filter(
    (file) =>
      !file.startsWith('bin/') &&
      !file.startsWith(onlyBinAndTests) &&
      forbidden.test(withoutComments(readFileSync(join(root, file), 'utf8'))),
  )
  assert.deepEqual(broken, [])
})

test('files are opened in platform/node only', () => {
  const broken = allImports.filter(
    (one) => /^(node:)?fs(\/promises)?$/.test(one.to) && !one.from.startsWith(onlyBinAndTests),
  )
  assert.deepEqual(broken, [])
})

test('no room is called utils, helpers, common, misc, types or manager, and no file is a barrel', () => {
  const named = sources.filter((file) =>
    /(^|\/)(utils?|helpers?|common|misc|types|manager)(\/|\.ts$)/.test(file),
  )
  const barrels = sources.filter((file) =>
    /^export (\*|\{[^}]*\}) from/m.test(readFileSync(join(root, file), 'utf8')),
  )
  assert.deepEqual([named, barrels], [[], []])
})

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
}
