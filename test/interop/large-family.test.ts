/** A protobuf page cuts a large family into several messages of one name: real Prometheus servers take all of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, freePorts, GatewayProcess } from '../kit/gateway-process.ts'
import { gauge, point } from '../kit/metrics-request.ts'
import { prometheusPrograms, PrometheusServer } from '../kit/prometheus-server.ts'
import { pushMetrics } from '../kit/push-metrics.ts'

const seriesCount = 12_000
/** Makes a page of three messages. */
const long = 'x'.repeat(1000)

const gatewayYaml = (http: number, page: number) => `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } } }
exporters: { prometheus: { endpoint: "127.0.0.1:${page}" } }
service:
  pipelines: { metrics: { receivers: [otlp], exporters: [prometheus] } }
  telemetry: { metrics: { level: none } }
`

const serverYaml = (page: number, isModern: boolean) => `
global: { scrape_interval: 5s, scrape_timeout: 5s }
scrape_configs:
  - job_name: large
${isModern ? '    scrape_protocols: [PrometheusProto]' : ''}
    static_configs: [{ targets: ["127.0.0.1:${page}"] }]
`

for (const program of prometheusPrograms()) {
  test(`${program.title} takes a family of ${seriesCount} series whole`, async () => {
    const [http, page] = await freePorts(2)
    const gateway = await GatewayProcess.start(gatewayYaml(http, page))
    const isModern = program.major >= 3
    // Before 3.0 this has it ask for protobuf.
    const features = isModern ? [] : ['native-histograms']
    const config = serverYaml(page, isModern)
    let server: PrometheusServer | undefined
    try {
      const points = Array.from({ length: seriesCount }, (_, number) =>
        point({ number: String(number), long }, { asDouble: number }),
      )
      await pushMetrics(http, [gauge('large', points)])
      server = await PrometheusServer.start(program, { config, features })
      const found = server
      const scraped = async () => {
        const samples = await found.query('count(large)')
        return samples.length > 0 ? true : undefined
      }
      await eventually(scraped, 'the first scrape', 30_000)
      assert.equal(await server.number('count(large)'), seriesCount)
      assert.equal(await server.number('sum(large)'), (seriesCount * (seriesCount - 1)) / 2)
    } finally {
      await server?.stop()
      assert.equal(await gateway.stop(), 0)
    }
  })
}
