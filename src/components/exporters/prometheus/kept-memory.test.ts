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
