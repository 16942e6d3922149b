import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { Refusal } from '../../otlp/refusal.ts'
import { readBody } from './read-body.ts'

function read(headers: Record<string, string>, chunks: readonly Uint8Array[]): Uint8Array {
  const request = Object.assign(new EventEmitter(), { headers }) as unknown as IncomingMessage
  const bodies: (Uint8Array | Refusal)[] = []
  const budget = { byteLengthMax: 100_000, grow: () => undefined }
  readBody(request, undefined as unknown as ServerResponse, budget, (body) => bodies.push(body))
  for (const chunk of chunks) request.emit('data', chunk)
  request.emit('end')
  assert.equal(bodies.length, 1)
  return bodies[0] as Uint8Array
}

test('chunks of a known length are joined; what was theirs alone is freed, what was part of more is not', () => {
  const larger = Uint8Array.of(9, 4, 5, 9)
  const chunks = [Uint8Array.of(1, 2, 3), larger.subarray(1, 3), Uint8Array.of(6)]
  assert.deepEqual([...read({ 'content-length': '6' }, chunks)], [1, 2, 3, 4, 5, 6])
  assert.deepEqual(
    chunks.map(({ buffer }) => buffer.byteLength),
    [0, 4, 0],
  )
  assert.deepEqual([...larger], [9, 4, 5, 9])
})

test('a body in one chunk is that chunk', () => {
  const chunk = Uint8Array.of(1, 2, 3)
  assert.equal(read({ 'content-length': '3' }, [chunk]), chunk)
  assert.equal(chunk.length, 3)
})

test('a body of unknown length in thousands of tiny chunks arrives whole and in order', () => {
  const sent = Array.from({ length: 5000 }, (_, index) => index % 251)
  const body = read(
    { 'transfer-encoding': 'chunked' },
    sent.map((byte) => Uint8Array.of(byte)),
  )
  assert.deepEqual([...body], sent)
})
