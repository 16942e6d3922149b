/**
 * Feels from outside how a gateway responds: a small push and a look at its health, one after the other, again and
 * again. Arguments: port of OTLP/HTTP, port of the health check or ''. For every line it reads it prints one JSON object
 * (ProbeReport) about the time since the last.
 */
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { PodRequest } from '../test/kit/pod-request.ts'

export interface ProbeReport {
  readonly pushMsMax: number
  readonly healthMsMax: number
  readonly failures: number
}

const [pushPort, healthPort] = process.argv.slice(2).map(Number)
const agent = new Agent({ keepAlive: true })
const pod = new PodRequest({ counters: 1, gauges: 0, histograms: 0, routes: 10 })
let [pushMsMax, healthMsMax, failures, round] = [0, 0, 0, 0]

const lines = createInterface({ input: process.stdin })
lines.on('line', () => {
  const report: ProbeReport = { pushMsMax, healthMsMax, failures }
  pushMsMax = healthMsMax = failures = 0
  process.stdout.write(`${JSON.stringify(report)}\n`)
})
lines.on('close', () => process.exit(0))

for (;;) {
  const body = pod.make(9_999_999, BigInt(Date.now()) * 1_000_000n, ++round)
  pushMsMax = Math.max(pushMsMax, await exchange(pushPort, '/v1/metrics', body))
  if (healthPort > 0) {
    healthMsMax = Math.max(healthMsMax, await exchange(healthPort, '/', undefined))
  }
  await new Promise((done) => setTimeout(done, 5))
}

/** Milliseconds until the answer is whole. */
function exchange(port: number, path: string, body: Buffer | undefined): Promise<number> {
  const startedMs = performance.now()
  return new Promise((done) => {
    const failed = () => {
      failures++
      done(performance.now() - startedMs)
    }
    const call = request({
      host: '127.0.0.1',
      port,
      path,
      agent,
      method: body === undefined ? 'GET' : 'POST',
      headers: body === undefined ? {} : { 'content-type': 'application/x-protobuf' },
    })
    call.on('error', failed)
    call.on('response', (response) => {
      if (response.statusCode !== 200) failures++
      response.on('error', failed)
      response.on('end', () => done(performance.now() - startedMs))
      response.resume()
    })
    call.end(body)
  })
}
