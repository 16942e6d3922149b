import assert from 'node:assert/strict'
import { eventually } from './gateway-process.ts'
import { type Attributes, metricsRequest, type Source } from './metrics-request.ts'
import type { PlainMessage } from './oracle.ts'

/** Who pushes unless said otherwise. */
export const pod: Attributes = {
  'service.name': 'checkout',
  'service.namespace': 'shop',
  'service.instance.id': 'pod-1',
  'k8s.pod.name': 'checkout-0',
}

/** One OTLP/HTTP request to a gateway on this port, which must take it. */
export async function pushMetrics(
  port: number,
  metrics: readonly PlainMessage[],
  source: Source = { resource: pod },
): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Buffer.from(metricsRequest(metrics, source)),
  }).catch((cause: unknown) => {
    throw new Error(`a push to the gateway on port ${port}`, { cause })
  })
  assert.equal(answer.status, 200, await answer.text())
}

/** Settles once the gateway with its own metrics on this port has nothing left to send. */
export async function untilSent(ownPort: number): Promise<void> {
  const isIdle = async () => {
    const page = await (await fetch(`http://127.0.0.1:${ownPort}/metrics`)).text()
    const lines = page.match(/^otelcol_exporter_(queue_size|in_flight_requests)\{.*$/gm)
    assert.ok(lines !== null, 'nothing tells what is left to send')
    return lines.every((line) => line.endsWith(' 0')) ? true : undefined
  }
  await eventually(isIdle, 'everything sent', 30_000)
}
