import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { cumulative, gauge, metricsBatch, point } from '../../../../test/kit/metrics-request.ts'
import {
  at,
  baseMs,
  closeRemoteWrites,
  from,
  startRemoteWrite as start,
} from '../../../../test/kit/remote-write-rig.ts'

const resource = { 'service.name': 'shop' }
const native = (name: string, times: object) => ({
  name,
  exponentialHistogram: {
    ...cumulative,
    dataPoints: [
      { ...times, count: 1n, sum: 1, scale: 0, positive: { offset: 0, bucketCounts: [1n] } },
    ],
  },
})

afterEach(closeRemoteWrites)

for (const protobuf_message of ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request']) {
  describe(`a series in one request of ${protobuf_message}`, () => {
    it('has numbers and histograms in TimeSeries of their own once another source takes over', async () => {
      const { peer, exporter } = await start({
        protobuf_message,
        remote_write_queue: { min_size: 10, num_consumers: 1, flush_timeout: '1h' },
      })
      const numbers = gauge('k', [point({}, { ...at(1), asDouble: 5 })])
      await exporter.consume(metricsBatch([numbers], { resource }))
      const histograms = native('k', { ...from(2), ...at(3) })
      await exporter.consume(metricsBatch([histograms], { resource }))
      await exporter.stop?.(new AbortController().signal)
      assert.deepEqual(peer.violations, [])
      const [{ samples }] = peer.requests
      assert.deepEqual(
        samples.map((one) => [one.series, one.timeMs - baseMs, one.histogram !== undefined]),
        [
          ['k{job="shop"}', 1, false],
          ['k{job="shop"}', 3, true],
        ],
      )
    })

    it('has but the first of two samples of one time, and tells when the other differs', async () => {
      const { peer, exporter, host, value } = await start({
        protobuf_message,
        remote_write_queue: { min_size: 10, num_consumers: 1, flush_timeout: '1h' },
      })
      const counts = (bucketCount: bigint) => {
        const fields = { ...at(2), count: bucketCount, scale: 0 }
        const positive = { offset: 0, bucketCounts: [bucketCount] }
        return {
          name: 'h',
          exponentialHistogram: { ...cumulative, dataPoints: [{ ...fields, positive }] },
        }
      }
      for (const [number, histogram] of [
        [5, 1n],
        [5, 1n],
        [6, 2n],
      ] as const) {
        const metrics = [gauge('k', [point({}, { ...at(1), asDouble: number })]), counts(histogram)]
        await exporter.consume(metricsBatch(metrics, { resource }))
      }
      await exporter.stop?.(new AbortController().signal)
      assert.deepEqual(peer.violations, [])
      assert.deepEqual(
        peer.requests[0].samples.map((one) => one.histogram?.countInt ?? one.value),
        [5, 1n],
      )
      const lost = { signal: 'metrics', itemCount: 2, cause: 'duplicate_timestamp' }
      assert.deepEqual(host.drops, [lost])
      assert.equal(value('otelcol_exporter_sent_metric_points'), 4)
      assert.equal(value('otelcol_exporter_send_failed_metric_points'), 2)
    })
  })
}
