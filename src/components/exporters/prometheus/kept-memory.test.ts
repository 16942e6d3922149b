import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { at, exposed } from '../../../../test/kit/exposed-store.ts'
import { cumulative, delta, gauge, point } from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'

const ones = (count: number) => Array.from({ length: count }, () => 1n)
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

const shapes: Record<string, (partCount: number, more: object) => PlainMessage> = {
  histogram: (partCount, more) => ({
    histogram: {
      ...cumulative,
      dataPoints: [
        { ...more, bucketCounts: ones(partCount + 1), explicitBounds: numbers(partCount) },
      ],
    },
  }),
  'exponential histogram': (partCount, more) => ({
    exponentialHistogram: {
      ...cumulative,
      dataPoints: [{ ...more, positive: { offset: 0, bucketCounts: ones(partCount) } }],
    },
  }),
  summary: (partCount, more) => ({
    summary: {
      dataPoints: [
        { ...more, quantileValues: numbers(partCount).map((quantile) => ({ quantile, value: 1 })) },
      ],
    },
  }),
  'delta histogram': (partCount, more) => ({
    histogram: {
      ...delta,
      dataPoints: [
        { ...more, bucketCounts: ones(partCount + 1), explicitBounds: numbers(partCount) },
      ],
    },
  }),
}

describe('memory of series counts what their values take', () => {
  for (const [name, shape] of Object.entries(shapes)) {
    it(`${name}, as long as it has it`, () => {
      const { store, take, host } = exposed()
      const keptWith = (partCount: number, seconds: number, more = {}) => {
        take([{ name: 'one', ...shape(partCount, { ...at(seconds), ...more }) }])
        return host.memory.keptBytes
      }
      const small = keptWith(1, 1)
      // 64 bits of each bucket or quantile, at least.
      assert.ok(keptWith(1001, 2) - small >= 8000)
      assert.equal(keptWith(1, 3), small)
      assert.ok(keptWith(1001, 4) - small >= 8000)
      // DataPointFlags: no recorded value.
      assert.ok(keptWith(0, 5, { flags: 1 }) <= small)
      store.close()
      assert.equal(host.memory.keptBytes, 0)
    })
  }
})

describe('where memory for series is used up, no series becomes larger, and all go on as they are', () => {
  for (const [name, shape] of Object.entries(shapes)) {
    it(name, () => {
      const { take, host, families } = exposed({ send_timestamps: true })
      const give = (partCount: number, seconds: number) =>
        take([
          { name: 'one', ...shape(partCount, at(seconds)) },
          gauge('other', [point({}, { ...at(seconds), asInt: BigInt(seconds) })]),
        ])
      const dropped = { signal: 'metrics', itemCount: 1, cause: 'memory_limit' }
      const shown = (of: string) => families().find((family) => family.name === of)!
      const otherValue = () => (shown('other').metric as PlainMessage[])[0]
      give(100, 1)
      // Others may have taken more since.
      host.memory.keptBytesMax = host.memory.keptBytes - 1
      const before = shown('one')
      give(200, 2)
      assert.deepEqual(host.drops, [dropped])
      assert.deepEqual(shown('one'), before)
      assert.deepEqual(otherValue().gauge, { value: 2 })
      give(100, 3)
      assert.deepEqual(host.drops, [dropped])
      assert.notDeepEqual(shown('one'), before)
      assert.deepEqual(otherValue().gauge, { value: 3 })
      // Said once, whatever comes.
      give(200, 4)
      assert.equal(host.lines.filter(({ message }) => message.includes('used up')).length, 1)
      host.memory.keptBytesMax = Infinity
      give(200, 5)
      assert.deepEqual(host.drops, [dropped, dropped])
    })
  }
})

it('series grow within one batch only as far as there is memory', () => {
  const { take, drops, host } = exposed()
  const sparse = (bucketCount: number, seconds: number) => ({
    name: 'one',
    exponentialHistogram: {
      ...cumulative,
      dataPoints: numbers(10).map((number) => ({
        ...point({ number }, at(seconds)),
        scale: 20,
        positive: {
          offset: 0,
          bucketCounts: numbers(bucketCount).map((index) => (index % 1000 === 0 ? 1n : 0n)),
        },
      })),
    },
  })
  take([sparse(1, 1)])
  const { keptBytes } = host.memory
  // What each bucket takes in a heap: a pointer or a double, and room to spare.
  const wideBytes = 50_001 * 12
  host.memory.keptBytesMax = keptBytes + 3.5 * wideBytes
  take([sparse(50_001, 2)])
  assert.deepEqual(drops(), { memory_limit: 7 })
  assert(host.memory.keptBytes > keptBytes + 2 * wideBytes)
  assert(host.memory.keptBytes <= host.memory.keptBytesMax)
})

it('memory of series counts families and sources, which take more than the one series they have', () => {
  const keptPerSeries = (metricsOf: (index: number) => [PlainMessage[], service: string]) => {
    const { store, take, host } = exposed()
    for (let index = 0; index < 200; index++) {
      const [metrics, service] = metricsOf(index)
      take(metrics, { resource: { 'service.name': service } })
    }
    const { keptBytes } = host.memory
    store.close()
    assert.equal(host.memory.keptBytes, 0)
    return keptBytes / 200
  }
  const one = [point({}, { ...at(1), asDouble: 1 })]
  // What the heap and its buffers grew by, with many of them: 2790 bytes a family, 1880 a resource.
  const perFamily = keptPerSeries((index) => [[gauge(`family_${index}`, one)], 'a'])
  assert.ok(perFamily >= 2000 && perFamily <= 4000, String(perFamily))
  const perResource = keptPerSeries((index) => [[gauge('family', one)], `service-${index}`])
  assert.ok(perResource >= 1500 && perResource <= 3000, String(perResource))
})
