/** Three hundred thousand series, and scrapers that read ten kilobytes a second. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { eventually, freePorts, GatewayProcess, seriesValue } from '../kit/gateway-process.ts'
import { PodRequest } from '../kit/pod-request.ts'

const mib = 1024 * 1024
const podCount = 300
/** Longer than a reader may stand still at shutdown. */
const writeTimeoutMs = 8000
const accepts = [
  'text/plain',
  'application/openmetrics-text;version=1.0.0',
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
]

const yaml = (options: { http: number; page: number; own: number }) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${options.http}" } } }
exporters:
  prometheus:
    endpoint: "127.0.0.1:${options.page}"
    enable_open_metrics: true
    write_timeout: ${writeTimeoutMs}ms
service:
  pipelines: { metrics: { receivers: [otlp], exporters: [prometheus] } }
  telemetry: { metrics: { address: "127.0.0.1:${options.own}" } }
`

async function push(port: number, pod: PodRequest): Promise<void> {
  const headers = { 'content-type': 'application/x-protobuf' }
  const timeNanos = BigInt(Date.now()) * 1_000_000n
  for (let number = 0; number < podCount; number++) {
    const body = pod.make(number, timeNanos, number)
    const url = `http://127.0.0.1:${port}/v1/metrics`
    const answer = await fetch(url, { method: 'POST', headers, body })
    assert.equal(answer.status, 200, await answer.text())
  }
}

/** Asks for the page and reads a kilobyte each tenth of a second; `rest` gives all of the answer that still comes. */
async function slowScraper(port: number, accept: string) {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  socket.pause()
  socket.on('error', () => {})
  socket.write(`GET /metrics HTTP/1.1\r\nhost: x\r\naccept: ${accept}\r\n\r\n`)
  const chunks: Buffer[] = []
  const timer = setInterval(() => {
    const chunk = socket.read(1024) as Buffer | null
    if (chunk !== null) chunks.push(chunk)
  }, 100)
  const rest = async () => {
    clearInterval(timer)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.resume()
    if (!socket.closed) await once(socket, 'close')
    return Buffer.concat(chunks)
  }
  return { rest, stop: () => (clearInterval(timer), socket.destroy()) }
}

test('slow scrapers hold little memory, are cut off at write_timeout, and are in the way of nobody', async () => {
  const [http, page, own] = await freePorts(3)
  const gateway = await GatewayProcess.start(yaml({ http, page, own }))
  const scrapers: Awaited<ReturnType<typeof slowScraper>>[] = []
  try {
    const pod = new PodRequest({ counters: 11, gauges: 8, histograms: 1, routes: 50 })
    await push(http, pod)
    const readAll = async () => (await fetch(`http://127.0.0.1:${page}/metrics`)).arrayBuffer()
    const { byteLength } = await readAll()
    assert.ok(byteLength > 100 * mib, `the page has only ${byteLength} bytes`)

    const rssBefore = gateway.rssBytes
    const startedMs = Date.now()
    for (const accept of accepts) scrapers.push(await slowScraper(page, accept))
    let rssMost = 0
    const beside = readAll()
    const cut = async () => {
      rssMost = Math.max(rssMost, gateway.rssBytes)
      const text = await (await fetch(`http://127.0.0.1:${own}/metrics`)).text()
      const name = 'penstock_exporter_prometheus_scrapes_total'
      const count = seriesValue(text, `${name}{exporter="prometheus",result="aborted"}`)
      return count === accepts.length ? true : undefined
    }
    await eventually(cut, 'the end of all slow scrapes', writeTimeoutMs + 15_000)
    assert.ok(Date.now() - startedMs >= writeTimeoutMs, 'cut off too early')
    assert.equal((await beside).byteLength, byteLength, 'a quick scrape beside the slow ones')
    const grownMib = (rssMost - rssBefore) / mib
    assert.ok(grownMib < 64, `the resident set grew by ${grownMib.toFixed(0)} MiB`)

    for (const { rest } of scrapers) {
      const answer = await rest()
      assert.match(answer.toString('latin1', 0, 20), /^HTTP\/1\.1 200 /)
      assert.ok(answer.length < 32 * mib, `${answer.length} bytes had been made for a slow reader`)
      assert.ok(!answer.subarray(-5).equals(Buffer.from('0\r\n\r\n')), 'passed off as a whole page')
    }

    const still = connect({ port: page, host: '127.0.0.1' })
    still.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(still, 'readable')
    assert.equal(await gateway.stop(), 0)
    assert.match(gateway.log, /a scrape was cut off at shutdown/)
    still.destroy()
  } finally {
    for (const { stop } of scrapers) stop()
    gateway.signal('SIGKILL')
  }
})
