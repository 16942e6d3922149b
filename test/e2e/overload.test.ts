/** Ten times the memory limit is offered to a gateway whose far end is slow; then it is ended under load. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agent, request } from 'undici'
import { HttpSink } from '../kit/http-sink.ts'
import { freePorts, GatewayProcess, seriesValue } from '../kit/gateway-process.ts'
import { encodeRequest } from '../kit/oracle.ts'

const limitMib = 256
const mib = 1024 * 1024

/** A request of 100 spans that carry their number and some weight, about 110 kB. */
function traceRequest(number: number): Uint8Array {
  const filler = 'x'.repeat(1000)
  const spans = Array.from({ length: 100 }, (_, index) => ({
    traceId: `hex:${(number * 100 + index).toString(16).padStart(32, '0')}`,
    spanId: 'hex:0102030405060708',
    name: `span ${number}/${index}`,
    attributes: [{ key: 'filler', value: { stringValue: filler } }],
  }))
  return encodeRequest('traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] })
}

const yaml = (options: { http: number; metrics: number; sink: string; queue: string }) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${options.http}" } } }
processors:
  memory_limiter: { check_interval: 100ms, limit_mib: ${limitMib}, spike_limit_mib: 51 }
  batch: { timeout: 50ms, send_batch_size: 2000 }
exporters:
  otlp_http:
    endpoint: ${options.sink}
    compression: none
    retry_on_failure: { initial_interval: 50ms, max_interval: 200ms }
    sending_queue: { queue_size: ${options.queue}, num_consumers: 4 }
service:
  pipelines:
    traces: { receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_http] }
  telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${options.metrics} } } } }] } }
`

test('overload is refused for now, memory stays bounded, and every item is accounted for', async () => {
  const sink = await HttpSink.start()
  const [http, metrics] = await freePorts(2)
  const gateway = await GatewayProcess.start(
    yaml({ http, metrics, sink: sink.url, queue: '100000' }),
  )
  const agent = new Agent({ connections: 64 })
  try {
    sink.delayMs = 1000
    const bodies = Array.from({ length: 50 }, (_, number) => traceRequest(number))
    // Long enough for the limiter to act and, on a slow machine, for ten times the limit to be offered.
    const [leastMs, mostMs] = [Date.now() + 20_000, Date.now() + 90_000]
    const isOver = () => Date.now() > (offeredBytes > 10 * limitMib * mib ? leastMs : mostMs)
    const statuses = new Map<number, number>()
    let offeredBytes = 0
    let [accepted, refusedWithHint] = [0, 0]
    let number = 0
    const lane = async () => {
      while (!isOver()) {
        const body = bodies[number++ % bodies.length]
        offeredBytes += body.length
        const answer = await request(`http://127.0.0.1:${http}/v1/traces`, {
          dispatcher: agent,
          method: 'POST',
          headers: { 'content-type': 'application/x-protobuf' },
          body,
        })
        await answer.body.dump()
        statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1)
        if (answer.statusCode === 200) accepted += 100
        else {
          if (answer.headers['retry-after'] !== undefined) refusedWithHint++
          await new Promise((done) => setTimeout(done, 20))
        }
      }
    }
    await Promise.all(Array.from({ length: 64 }, lane))

    const rssPeakMib = gateway.rssPeakBytes / mib
    assert.ok(offeredBytes > 10 * limitMib * mib, `only ${offeredBytes} bytes were offered`)
    assert.deepEqual(
      [...statuses.keys()].sort((a, b) => a - b),
      [200, 503],
    )
    assert.equal(refusedWithHint, statuses.get(503))
    assert.ok(rssPeakMib < limitMib + 64, `the resident set reached ${rssPeakMib} MiB`)

    sink.delayMs = 0
    const page = await (await request(`http://127.0.0.1:${metrics}/metrics`)).body.text()
    const value = (series: string) => seriesValue(page, series) ?? 0
    const receiver = '{receiver="otlp",transport="http"}'
    assert.equal(value(`otelcol_receiver_accepted_spans_total${receiver}`), accepted)
    const refusedRequests = statuses.get(503)!
    const refusedSeries = '{receiver="otlp",transport="http",outcome="refused"}'
    assert.equal(value(`otelcol_receiver_requests_total${refusedSeries}`), refusedRequests)
    // Refused unread, so that their items are estimated: all requests of this test are nearly of one size.
    for (const series of [
      `otelcol_receiver_refused_spans_total${receiver}`,
      'otelcol_processor_refused_spans_total{processor="memory_limiter"}',
    ]) {
      const ratio = value(series) / (refusedRequests * 100)
      assert.ok(Math.abs(ratio - 1) < 0.02, `${series} is ${ratio} of what was refused`)
    }
    assert.equal(await gateway.stop(), 0)
    const delivered = sink.items('traces').length
    assert.equal(delivered, accepted, 'what was acknowledged and what was delivered')
  } finally {
    await agent.close()
    if (gateway.pid !== 0) gateway.signal('SIGKILL')
    await sink.stop()
  }
})

test('SIGTERM under load loses nothing that was acknowledged', async () => {
  const sink = await HttpSink.start()
  const [http, metrics] = await freePorts(2)
  const gateway = await GatewayProcess.start(yaml({ http, metrics, sink: sink.url, queue: '1000' }))
  const agent = new Agent({ connections: 16 })
  sink.delayMs = 20
  const acknowledged: number[] = []
  let isOver = false
  let number = 0
  const lane = async () => {
    while (!isOver) {
      const own = number++
      try {
        const answer = await request(`http://127.0.0.1:${http}/v1/traces`, {
          dispatcher: agent,
          method: 'POST',
          headers: { 'content-type': 'application/x-protobuf' },
          body: traceRequest(own),
        })
        await answer.body.dump()
        if (answer.statusCode === 200) acknowledged.push(own)
      } catch {
        // Refused or cut while the gateway goes down: not acknowledged, so that it may be lost.
        isOver = true
      }
    }
  }
  const lanes = Array.from({ length: 16 }, lane)
  await new Promise((done) => setTimeout(done, 1500))
  assert.equal(await gateway.stop('SIGTERM'), 0)
  isOver = true
  await Promise.all(lanes)
  await agent.close()
  const names = new Set(sink.items('traces').map(({ item }) => item.name))
  await sink.stop()
  assert.ok(acknowledged.length > 50, `only ${acknowledged.length} requests were acknowledged`)
  const lost = acknowledged.filter(
    (own) => !names.has(`span ${own}/0`) || !names.has(`span ${own}/99`),
  )
  assert.deepEqual(lost, [])
})

test('a second signal ends the process at once', async () => {
  const sink = await HttpSink.start()
  const [http, metrics] = await freePorts(2)
  const gateway = await GatewayProcess.start(yaml({ http, metrics, sink: sink.url, queue: '1000' }))
  sink.status = 503
  const answer = await request(`http://127.0.0.1:${http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: traceRequest(1),
  })
  assert.equal(answer.statusCode, 200)
  await answer.body.dump()
  gateway.signal('SIGTERM')
  await gateway.logged('Starting shutdown')
  gateway.signal('SIGTERM')
  assert.equal(await gateway.exited, 130)
  await sink.stop()
})

test('SIGHUP to a service changes nothing and loses nothing', async () => {
  const sink = await HttpSink.start()
  const [http, metrics] = await freePorts(2)
  const gateway = await GatewayProcess.start(yaml({ http, metrics, sink: sink.url, queue: '1000' }))
  const send = async (number: number) => {
    const answer = await request(`http://127.0.0.1:${http}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: traceRequest(number),
    })
    await answer.body.dump()
    assert.equal(answer.statusCode, 200)
  }
  sink.delayMs = 500
  await send(1)
  gateway.signal('SIGHUP')
  await gateway.logged('SIGHUP changes nothing')
  await send(2)
  assert.equal(await gateway.stop(), 0)
  const names = new Set(sink.items('traces').map(({ item }) => item.name))
  await sink.stop()
  assert.ok(names.has('span 1/0') && names.has('span 2/0'))
})
