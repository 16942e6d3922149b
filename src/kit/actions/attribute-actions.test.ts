import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { type AttributeValue, editAttributes, readAttributes } from '../../otlp/attributes.ts'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { actionList } from './action-settings.ts'
import { compileActions } from './attribute-actions.ts'

type Entries = readonly (readonly [key: string, value: AttributeValue])[]

const schema = actionList()

/** The attributes after the actions, as pairs in order. */
function act(before: Entries, actions: readonly object[], client?: ClientInfo): Entries {
  const compiled = compileActions(schema.parse(actions))
  const message = editAttributes(new Uint8Array(0), 1, (attributes) => {
    for (const [key, value] of before) attributes.set(key, value)
  })
  const after = editAttributes(message, 1, (attributes) => compiled.apply(attributes, client))
  return readAttributes(after, 1).map(({ key, value }) => [key, value] as const)
}

function check(before: Entries, action: object | object[], expected: Entries): void {
  assert.deepEqual(act(before, [action].flat()), expected)
}

const here: Entries = [['here', 'old']]

suite('insert, update and upsert', () => {
  test('differ in whether they add and whether they change', () => {
    check(here, { action: 'insert', key: 'here', value: 'new' }, here)
    check(here, { action: 'insert', key: 'gone', value: 'new' }, [...here, ['gone', 'new']])
    check(here, { action: 'update', key: 'here', value: 'new' }, [['here', 'new']])
    check(here, { action: 'update', key: 'gone', value: 'new' }, here)
    check(here, { action: 'upsert', key: 'here', value: 'new' }, [['here', 'new']])
    check(here, { action: 'upsert', key: 'gone', value: 'new' }, [...here, ['gone', 'new']])
  })

  test('keep the type of the value', () => {
    const typed: [unknown, AttributeValue][] = [
      ['text', 'text'],
      ['', ''],
      [true, true],
      [7, 7n],
      [-1.5, -1.5],
      [
        ['a', 1, false],
        ['a', 1n, false],
      ],
      [{ a: [1] }, new Map([['a', [1n]]])],
    ]
    for (const [value, expected] of typed) {
      check([], { action: 'insert', key: 'k', value }, [['k', expected]])
    }
  })

  test('take the value of another attribute, whatever its type', () => {
    const from: Entries = [['from', 2n ** 60n]]
    const action = { action: 'upsert', key: 'to', from_attribute: 'from' }
    check(from, action, [...from, ['to', 2n ** 60n]])
    check(here, action, here)
    check(here, { ...action, default_value: 1 }, [...here, ['to', 1n]])
    check([['from', null]], { ...action, default_value: 1 }, [
      ['from', null],
      ['to', null],
    ])
  })

  test('take the value from the client', () => {
    const client: ClientInfo = {
      address: '10.0.0.7',
      metadata: new Map([
        ['x-tenant', ['red', 'blue']],
        ['x-empty', []],
      ]),
      auth: new Map([['subject', 'someone']]),
    }
    const valueOf = (from_context: string, of: ClientInfo | undefined = client) =>
      act([], [{ action: 'insert', key: 'k', from_context, default_value: 'none' }], of)[0][1]
    assert.equal(valueOf('metadata.X-Tenant'), 'red;blue')
    assert.equal(valueOf('x-tenant'), 'red;blue')
    assert.equal(valueOf('metadata.x-empty'), 'none')
    assert.equal(valueOf('auth.subject'), 'someone')
    assert.equal(valueOf('auth.other'), 'none')
    assert.equal(valueOf('client.address'), '10.0.0.7')
    assert.equal(valueOf('client.address', { ...client, address: '' }), 'none')
    const unknown = act([], [{ action: 'insert', key: 'k', from_context: 'x-tenant' }])
    assert.deepEqual(unknown, [])
    assert(
      compileActions(schema.parse([{ action: 'insert', key: 'k', from_context: 'x' }]))
        .dependsOnClient,
    )
    assert(
      !compileActions(schema.parse([{ action: 'insert', key: 'k', value: 'x' }])).dependsOnClient,
    )
  })
})

test('delete removes the key and every key that the pattern matches somewhere', () => {
  const before: Entries = [
    ['a', '1'],
    ['http.url', '2'],
    ['https', '3'],
    ['b', '4'],
  ]
  check(before, { action: 'delete', key: 'a' }, before.slice(1))
  check(before, { action: 'delete', pattern: 'http' }, [before[0], before[3]])
  check(before, { action: 'delete', pattern: '^http$' }, before)
  check(before, { action: 'delete', key: 'b', pattern: 's$' }, before.slice(0, 2))
})

test('hash is lower-case hex of SHA-256 of the value in bytes', () => {
  const sha256 = (bytes: readonly number[] | string) =>
    createHash('sha256')
      .update(typeof bytes === 'string' ? bytes : Uint8Array.from(bytes))
      .digest('hex')
  const hashed: [AttributeValue, string][] = [
    ['é', sha256('é')],
    ['', ''],
    [true, sha256([1])],
    [false, sha256([0])],
    [258n, sha256([2, 1, 0, 0, 0, 0, 0, 0])],
    [-1n, sha256([255, 255, 255, 255, 255, 255, 255, 255])],
    [1.5, sha256([0, 0, 0, 0, 0, 0, 0xf8, 0x3f])],
    [Uint8Array.of(1, 2), sha256([1, 2])],
    [['a', 1n], sha256('["a",1]')],
  ]
  for (const [value, expected] of hashed) {
    check([['k', value]], { action: 'hash', key: 'k' }, [['k', expected]])
  }
  // The test vector of FIPS 180.
  check([['k', 'abc']], { action: 'hash', key: 'k', hash_algorithm: 'sha1' }, [
    ['k', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ])
  check(
    [
      ['k', 'abc'],
      ['k2', 'abc'],
    ],
    { action: 'hash', key: 'k', pattern: '^k' },
    [
      ['k', sha256('abc')],
      ['k2', sha256('abc')],
    ],
  )
})

test('extract sets an attribute for each named group of text, and nothing without a match', () => {
  const action = {
    action: 'extract',
    key: 'url',
    pattern: '(?P<scheme>\\w+)://(?P<host>[^/:]+)(?::(?P<port>\\d+))?',
  }
  const url = (value: AttributeValue) => ['url', value] as const
  check([url('see http://a.example:80/x'), ['host', 'old']], action, [
    url('see http://a.example:80/x'),
    ['host', 'a.example'],
    ['scheme', 'http'],
    ['port', '80'],
  ])
  check([url('ftp://b/')], action, [
    url('ftp://b/'),
    ['scheme', 'ftp'],
    ['host', 'b'],
    ['port', ''],
  ])
  check([url('nothing')], action, [url('nothing')])
  check([url(5n)], action, [url(5n)])
  check([], action, [])
})

test('convert changes the type, or leaves what cannot be converted', () => {
  const converted: [from: AttributeValue, type: string, to: AttributeValue][] = [
    ['12', 'int', 12n],
    ['-9223372036854775808', 'int', -(2n ** 63n)],
    ['+3', 'int', 3n],
    ['9223372036854775808', 'int', '9223372036854775808'],
    ['1.5', 'int', '1.5'],
    [' 1', 'int', ' 1'],
    ['', 'int', ''],
    [2.9, 'int', 2n],
    [-2.9, 'int', -2n],
    [1e300, 'int', 1e300],
    [Number.NaN, 'int', Number.NaN],
    [true, 'int', 1n],
    [false, 'int', 0n],
    [5n, 'int', 5n],
    [['1'], 'int', ['1']],
    ['1e3', 'double', 1000],
    ['.5', 'double', 0.5],
    ['-Inf', 'double', -Infinity],
    ['NaN', 'double', Number.NaN],
    ['1e999', 'double', '1e999'],
    ['0x', 'double', '0x'],
    ['', 'double', ''],
    [3n, 'double', 3],
    [true, 'double', 1],
    [0.25, 'double', 0.25],
    [12n, 'string', '12'],
    [1.0, 'string', '1'],
    [true, 'string', 'true'],
    [[1n, 'a'], 'string', '[1,"a"]'],
    ['x', 'string', 'x'],
  ]
  for (const [from, converted_type, to] of converted) {
    check([['k', from]], { action: 'convert', key: 'k', converted_type }, [['k', to]])
  }
  check([], { action: 'convert', key: 'k', converted_type: 'int' }, [])
})

test('actions run in order, in upper or lower case', () => {
  const actions = [
    { action: 'INSERT', key: 'a', value: '1' },
    { action: 'Upsert', key: 'b', from_attribute: 'a' },
    { action: 'delete', key: 'a' },
    { action: 'convert', key: 'b', converted_type: 'int' },
  ]
  check([], actions, [['b', 1n]])
})

test('mistakes are told at their place', () => {
  const complaintOf = (action: object) => {
    const { error } = schema.safeParse([{ action: 'insert', key: 'k', value: 1 }, action])
    return error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')
  }
  const table: [action: object, complaint: RegExp][] = [
    [{ action: 'drop', key: 'k' }, /^1\.action /],
    [{ key: 'k' }, /^1\.action /],
    [{ action: 'insert', value: 1 }, /^1\.key is required by insert/],
    [{ action: 'insert', key: '', value: 1 }, /^1\.key is required by insert/],
    [{ action: 'insert', key: 'k' }, /^1\.value or from_attribute or from_context is required/],
    [{ action: 'insert', key: 'k', value: null }, /^1\.value .*variable that is not set/],
    [{ action: 'update', key: 'k', value: 1, from_attribute: 'a' }, /^1\.from_attribute excludes/],
    [{ action: 'upsert', key: 'k', value: 1, default_value: 2 }, /^1\.default_value is for/],
    [{ action: 'upsert', key: 'k', value: 1, pattern: 'x' }, /^1\.pattern is not used by upsert/],
    [{ action: 'insert', key: 'k', value: 1, converted_type: 'int' }, /^1\.converted_type is not/],
    [{ action: 'delete' }, /^1\.key or pattern is required by delete/],
    [{ action: 'hash' }, /^1\.key or pattern is required by hash/],
    [{ action: 'delete', key: 'k', value: 1 }, /^1\.value is not used by delete/],
    [{ action: 'delete', pattern: '(' }, /^1\.pattern must be a regular expression in RE2 syntax/],
    [{ action: 'delete', pattern: '(?=x)' }, /^1\.pattern must be a regular expression/],
    [{ action: 'hash', key: 'k', hash_algorithm: 'md5' }, /^1\.hash_algorithm /],
    [{ action: 'extract', key: 'k' }, /^1\.pattern is required by extract/],
    [{ action: 'extract', key: 'k', pattern: 'x' }, /^1\.pattern must have a named group/],
    [{ action: 'extract', key: 'k', pattern: '(?P<a>x)(y)' }, /^1\.pattern must have only named/],
    [{ action: 'convert', key: 'k' }, /^1\.converted_type is required by convert/],
    [{ action: 'convert', key: 'k', converted_type: 'bool' }, /^1\.converted_type /],
    [{ action: 'insert', key: 'k', value: 2 ** 53 }, /^1\.value .*too large/],
    [{ action: 'insert', key: 'k', values: 1 }, /values/],
  ]
  for (const [action, complaint] of table) assert.match(complaintOf(action) ?? 'none', complaint)
  assert.match(schema.safeParse([]).error!.message, /at least one action/)
})
