import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readOnlyDisk } from '../../test/kit/memory-disk.ts'
import { renderComplaints } from './complaint.ts'
import { loadConfig } from './load-config.ts'
import { locate, type Path, placeOf, toPlain } from './located.ts'

function load(
  configs: string | readonly string[],
  env: Record<string, string> = {},
  extra: { sets?: string[]; files?: Record<string, string> } = {},
) {
  const texts = typeof configs === 'string' ? [configs] : configs
  const names = texts.map((_, index) => `${index}.yaml`)
  const files = {
    ...extra.files,
    ...Object.fromEntries(texts.map((text, at) => [names[at], text])),
  }
  return loadConfig({ configs: names, sets: extra.sets ?? [] }, env, readOnlyDisk(files))
}

/** The value of `v:` after expansion. */
function expand(
  value: string,
  env: Record<string, string> = {},
  files: Record<string, string> = {},
) {
  const loaded = load(`v: ${value}`, env, { files })
  const node = locate(loaded.root, ['v'])!
  return { value: toPlain(node), node, complaints: loaded.complaints.map(({ message }) => message) }
}

test('a whole-value reference takes the type its text has as YAML and keeps the text', () => {
  for (const [text, value] of [
    ['0123', 123],
    ['1e3', 1000],
    ['true', true],
    ['plain', 'plain'],
    ['"quoted"', '"quoted"'],
    ['[1, a]', [1, 'a']],
    ['{a: {b: 2}}', { a: { b: 2 } }],
    ['a: b: c', 'a: b: c'],
    ['', null],
  ] as const) {
    const { value: found, node } = expand('${env:X}', { X: text })
    assert.deepEqual(found, value, text)
    if (node.kind === 'scalar') assert.equal(node.reference?.text, text)
  }
})

test('references inside text are joined as text', () => {
  const env = { H: 'tempo', P: '0123' }
  assert.equal(expand('http://${env:H}:${P}/x', env).value, 'http://tempo:0123/x')
})

test('defaults stand in only for what is not set, with and without env:', () => {
  const env = { EMPTY: '', SET: 'set' }
  assert.equal(expand('${env:NO:-a}', env).value, 'a')
  assert.equal(expand('${NO:-a}', env).value, 'a')
  assert.equal(expand('${env:NO:-4317}', env).value, 4317)
  assert.equal(expand('${env:NO:-a:-b}', env).value, 'a:-b')
  assert.equal(expand('x${env:NO:-}', env).value, 'x')
  assert.equal(expand('${env:EMPTY:-a}', env).value, null)
  assert.equal(expand('x${env:EMPTY:-a}', env).value, 'x')
  assert.equal(expand('${SET:-a}', env).value, 'set')
  assert.equal(expand('${env:NO:-${env:SET}}', env).value, 'set')
  assert.deepEqual(expand('${env:SET:-${env:NO}}', env).complaints, [])
})

test('nested references are resolved from the inside', () => {
  assert.equal(expand('${env:A_${env:B}}', { B: 'X', A_X: 'found' }).value, 'found')
})

test('two dollars are one, and their parity before a brace decides', () => {
  const env = { X: 'x' }
  assert.equal(expand('"$${X}"', env).value, '${X}')
  assert.equal(expand('"$$${X}"', env).value, '$x')
  assert.equal(expand('"$$$${X}"', env).value, '$${X}')
  assert.equal(expand('a$$b$c$', env).value, 'a$b$c$')
  assert.equal(expand('$X', env).value, '$X')
})

test('an escaped reference before a live one stops nothing, and escaped copies stay', () => {
  assert.equal(expand('"$${X} ${X} $${X}"', { X: 'x' }).value, '${X} x ${X}')
})

test('a secret from the environment keeps its dollars', () => {
  assert.equal(expand('${env:P}', { P: 'pa$$word$1' }).value, 'pa$$word$1')
  assert.equal(expand('x${env:P}', { P: 'a$$b${ c' }).value, 'xa$$b${ c')
  assert.equal(expand('${env:P}', { P: 'a${?}b' }).value, 'a${?}b')
})

test('references in retrieved text are followed', () => {
  assert.equal(expand('${env:A}', { A: '${env:B}', B: '7' }).value, 7)
  assert.equal(expand('<${env:A}>', { A: '${env:B}', B: '7' }).value, '<7>')
  assert.deepEqual(expand('${env:A}', { A: '{k: "${env:B}"}', B: '7' }).value, { k: 7 })
})

test('references that lead round in a circle are named and end', () => {
  const { complaints } = expand('${env:A}', { A: '${env:B}', B: 'x${env:A}' })
  assert.deepEqual(complaints, ['refers to itself: ${env:A} → ${env:B} → ${env:A}'])
})

test('references that multiply are bounded', () => {
  const env: Record<string, string> = {}
  for (let level = 0; level < 30; level++) env[`L${level}`] = `\${L${level + 1}} \${L${level + 1}}`
  const { complaints } = expand('${L0}', env)
  assert.ok(complaints.includes('has too many references that lead to further references'))
})

test('files are read without their last line break, or as YAML with places of their own', () => {
  const files = { token: 's3cr3t\n', 'tls.yaml': 'a: 1\nb: {c: 2}\n' }
  assert.equal(expand('${file:token}', {}, files).value, 's3cr3t')
  const { node } = expand('${file:tls.yaml}', {}, files)
  assert.deepEqual(toPlain(node), { a: 1, b: { c: 2 } })
  const place = placeOf(node, ['b', 'c'])
  assert.deepEqual([place.source.name, place.line, place.column], ['tls.yaml', 2, 8])
})

test('yaml: references may hold braces', () => {
  assert.deepEqual(expand('"${yaml:{a: {b: 1}}}"').value, { a: { b: 1 } })
})

test('keys are never expanded', () => {
  assert.deepEqual(toPlain(load('"${env:X}": 1').root), { '${env:X}': 1 })
})

test('maps join, scalars and lists replace, and so does an explicit null', () => {
  const base = 'a: {x: 1, y: [1, 2], z: {q: 1}}\nb: 1\nc: {d: 1}'
  const over = 'a: {x: 2, y: [3], z: {r: 2}}\nc:'
  assert.deepEqual(toPlain(load([base, over]).root), {
    a: { x: 2, y: [3], z: { q: 1, r: 2 } },
    b: 1,
    c: null,
  })
})

test('--set lays a YAML value over the files and says its own name', () => {
  const { root } = load('a: {b: 1, c: [1]}', {}, { sets: ['a.b=true', 'a.c=[2]', 'a::d::e=x=y'] })
  assert.deepEqual(toPlain(root), { a: { b: true, c: [2], d: { e: 'x=y' } } })
  assert.equal(placeOf(root, ['a', 'b']).source.name, '--set a.b')
})

test('env: and yaml: sources, file: paths and :: keys are read', () => {
  const disk = readOnlyDisk({ 'f.yaml': 'a: 1' })
  const configs = ['file:f.yaml', 'env:CONF', 'yaml:a::b::c: 3']
  const { root, complaints } = loadConfig({ configs }, { CONF: 'a: {x: 2}' }, disk)
  assert.deepEqual(complaints, [])
  assert.deepEqual(toPlain(root), { a: { x: 2, b: { c: 3 } } })
})

test('sources that cannot be read are each named', () => {
  const configs = ['gone.yaml', 'env:NOPE', 'https://user:pw@host/x', 's3://b/k']
  const { complaints, isComplete } = loadConfig({ configs }, {}, readOnlyDisk({}))
  assert.equal(isComplete, false)
  assert.equal(
    renderComplaints(complaints),
    'gone.yaml  cannot be read: no such file\n\n' +
      'env:NOPE  environment variable NOPE is not set\n\n' +
      'https:  https: sources are not supported yet; fetch it to a file first\n\n' +
      's3://b/k  s3: is not a source that can be read; known are file:, env: and yaml:\n\n' +
      '4 errors\n',
  )
})

test('every value knows its line and column', () => {
  const { root } = load('a:\n  - x: 1\n    "k k":   two\nb: ${env:X}\n', { X: '{q: 9}' })
  const at = (path: Path) => {
    const { line, column } = placeOf(root, path)
    return [line, column]
  }
  assert.deepEqual(at(['a', 0, 'x']), [2, 8])
  assert.deepEqual(at(['a', 0, 'k k']), [3, 14])
  assert.deepEqual(at(['b', 'q']), [4, 4])
  assert.deepEqual(at(['a', 5]), [1, 1])
})

test('aliases that multiply or contain themselves are refused', () => {
  let text = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n'
  for (let level = 1; level < 9; level++) {
    text += `a${level}: &a${level} [${Array(10)
      .fill(`*a${level - 1}`)
      .join(', ')}]\n`
  }
  assert.match(
    load(text).complaints[0].message,
    /more than 200000 values, those that aliases repeat included/,
  )
  assert.equal(load('a: &a [*a]').complaints.length, 1)
})

test('a source that is too long is not read', () => {
  const { complaints, isComplete } = load(`a: ${'x'.repeat(8_000_000)}`)
  assert.equal(isComplete, false)
  assert.match(renderComplaints(complaints), /^0.yaml {2}may have 8000000 characters, got 8000003/)
})

test('a key named __proto__ is a key', () => {
  const plain = toPlain(load('__proto__: {x: 1}').root)
  assert.deepEqual(Object.keys(plain as object), ['__proto__'])
})

const yamlish = fc.array(
  fc.oneof(
    fc.constantFrom(
      'a',
      'b:',
      ': ',
      '- ',
      '\n',
      '  ',
      '\t',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      "'",
      '|',
    ),
    fc.constantFrom(
      '${env:A}',
      '${',
      '$$',
      '${A:-',
      '}',
      '&x ',
      '*x',
      '<<: ',
      '#',
      '!!',
      '%',
      '---\n',
    ),
    fc.string({ maxLength: 5 }),
  ),
  { maxLength: 40 },
)

test('any text either loads or gives complaints, and each renders', () => {
  fc.assert(
    fc.property(yamlish, fc.string(), (parts, variable) => {
      const { root, complaints, isComplete } = load(parts.join(''), { A: variable })
      assert.equal(root.kind, 'map')
      if (!isComplete) assert.ok(complaints.length > 0)
      if (complaints.length > 0) renderComplaints(complaints)
    }),
    { numRuns: 1500 },
  )
})
