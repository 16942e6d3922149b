import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refuseForNow, testConnectorHost } from '../../../../test/kit/test-host.ts'
import { Batch } from '../../../otlp/batch.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import { forward } from './index.ts'

const batch = new Batch('logs', [
  { resource: undefined, rest: new Uint8Array([18, 0]), itemCount: 0 },
])

test('a batch goes on as it is, and a refusal comes back as it is', () => {
  const host = testConnectorHost()
  const connector = forward.create({}, host)
  void connector.consume(batch)
  assert.deepEqual(host.sink.batches, [batch])
  assert.equal(host.sink.batches[0], batch)
  host.sink.respond = refuseForNow
  assert.throws(() => connector.consume(batch), { code: 'unavailable' })
})

test('what waits downstream is waited for', async () => {
  const host = testConnectorHost()
  host.sink.respond = async () => refuseForNow()
  await assert.rejects(async () => forward.create({}, host).consume(batch), { code: 'unavailable' })
})

test('the pipeline behind it is asked at the door when there is only one signal', () => {
  const refuseAtDoor = new Refusal('unavailable', 'full')
  const one = testConnectorHost({ signals: ['logs'] })
  one.sink.refuseAtDoor = refuseAtDoor
  assert.equal(forward.create({}, one).admit?.(10), refuseAtDoor)
  const several = testConnectorHost()
  several.sink.refuseAtDoor = refuseAtDoor
  assert.equal(forward.create({}, several).admit?.(10), undefined)
})

test('a signal that no pipeline begins with is an impossible state', () => {
  const connector = forward.create({}, testConnectorHost({ signals: ['traces'] }))
  assert.throws(() => connector.consume(batch), { name: 'AssertionError' })
})
