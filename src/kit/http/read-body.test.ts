import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { Refusal } from '../../otlp/refusal.ts'
import { readBody } from './read-body.ts'

test('a body of unknown length in thousands of tiny chunks arrives whole and in order', () => {
  const headers = { 'transfer-encoding': 'chunked' }
  const request = Object.assign(new EventEmitter(), { headers }) as unknown as IncomingMessage
  const bodies: (Uint8Array | Refusal)[] = []
  const budget = { byteLengthMax: 100_000, grow: () => undefined }
  readBody(request, undefined as unknown as ServerResponse, budget, (body) => bodies.push(body))
  const sent = Array.from({ length: 5000 }, (_, index) => index % 251)
  for (const byte of sent) request.emit('data', Uint8Array.of(byte))
  request.emit('end')
  assert.deepEqual([...(bodies[0] as Uint8Array)], sent)
  assert.equal(bodies.length, 1)
})
