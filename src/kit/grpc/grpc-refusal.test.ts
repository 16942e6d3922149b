import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { grpcRefusal } from './grpc-refusal.ts'

function failure(details: string): ServiceError {
  const message = `${status.UNAVAILABLE} UNAVAILABLE: ${details}`
  const metadata = new Metadata()
  return Object.assign(new Error(message), { code: status.UNAVAILABLE, details, metadata })
}

test('a refused connection is told without what surrounds its reason', () => {
  const openSsl =
    'C0B77A2A827F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:' +
    '../deps/openssl/openssl/ssl/record/ssl3_record.c:354:\n'
  const details = `No connection established. Last error: Error: ${openSsl}. Resolution note: `
  const { message } = grpcRefusal(failure(details), 'https://tempo:4317')
  const hint = ' (the server speaks plaintext: write http:// in place of https://)'
  assert.ok(message.endsWith(` wrong version number${hint}`), message)
  assert.doesNotMatch(message, /openssl|Last error|Resolution/)
})

test('a long word in what a server says takes no time', () => {
  const begun = performance.now()
  grpcRefusal(failure('A'.repeat(200_000)), 'tempo:4317')
  // A few milliseconds; a pattern that is tried from each letter takes half a minute.
  assert.ok(performance.now() - begun < 2000)
})
