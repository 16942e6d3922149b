import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathOf, queryOf } from './request-target.ts'

// RFC 9112, 3.2: origin-form, absolute-form, asterisk-form, authority-form.
for (const [target, path] of [
  ['/v1/traces', '/v1/traces'],
  ['/v1/traces?a=/b', '/v1/traces'],
  ['//double', '//double'],
  ['http://gateway:4318/v1/traces', '/v1/traces'],
  ['HTTPS://gateway/v1/traces?a', '/v1/traces'],
  ['http://gateway', '/'],
  ['http://gateway?a=1', '/'],
  ['*', '*'],
  ['gateway:4318', 'gateway:4318'],
]) {
  test(`the path of ${target} is ${path}`, () => assert.equal(pathOf(target), path))
}

test('the query is what stands behind the first question mark', () => {
  assert.equal(queryOf('/a?x=1&x=2&y=%20?').get('x'), '1')
  assert.equal(queryOf('/a?x=1&x=2&y=%20?').get('y'), ' ?')
  assert.equal(queryOf('/a').size, 0)
})
