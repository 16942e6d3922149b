import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { cumulative, delta } from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'
import { closeRemoteWrites, startRemoteWrite } from '../../../../test/kit/remote-write-rig.ts'

afterEach(closeRemoteWrites)

const second = 1_000_000_000n

function histogram(bucketCount: number, seconds: bigint, name = 'one'): PlainMessage {
  const counts = Array.from({ length: bucketCount + 1 }, () => 1n)
  const explicitBounds = Array.from({ length: bucketCount }, (_, index) => index)
  const one = { timeUnixNano: seconds * second, count: BigInt(bucketCount + 1) }
  const dataPoints = [{ ...one, bucketCounts: counts, explicitBounds }]
  return { name, histogram: { ...cumulative, dataPoints } }
}

test('memory of series counts the rows of buckets, and new series wait when they take too much', async () => {
  const { push, host } = await startRemoteWrite()
  const { memory } = host
  await push(histogram(1, 1n))
  const small = memory.keptBytes
  // An object of a few fields, and labels of four bytes each, at least.
  await push(histogram(1001, 2n))
  assert.ok(memory.keptBytes - small >= 1000 * 64)
  memory.keptBytesMax = small + 1000 * 64
  await push(histogram(1, 2n, 'other'))
  assert.deepEqual(host.drops, [{ signal: 'metrics', itemCount: 1, cause: 'memory_limit' }])
  await push(histogram(1, 3n))
  assert.equal(memory.keptBytes, small)
  await push(histogram(1, 3n, 'other'))
  assert.equal(host.drops.length, 1)
})

test('a delta histogram with more buckets than there is memory for is dropped, smaller ones go on', async () => {
  const { push, host } = await startRemoteWrite()
  const pushDelta = (bucketCount: number, seconds: bigint) => {
    const one = histogram(bucketCount, seconds)
    return push({ ...one, histogram: { ...(one.histogram as PlainMessage), ...delta } })
  }
  await pushDelta(1, 1n)
  host.memory.keptBytesMax = host.memory.keptBytes
  await pushDelta(1001, 2n)
  const dropped = [{ signal: 'metrics', itemCount: 1, cause: 'memory_limit' }]
  assert.deepEqual(host.drops, dropped)
  await pushDelta(1, 3n)
  assert.deepEqual(host.drops, dropped)
})
