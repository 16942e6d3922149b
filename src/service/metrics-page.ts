import type { ServerResponse } from 'node:http'
import { z } from 'zod'
import { HttpServer } from '../kit/http/http-server.ts'
import { httpServerShape } from '../kit/http/server-settings.ts'
import type { Host } from '../pipeline/host.ts'
import type { OwnMetrics } from './own-metrics.ts'

const serverSettings = z.strictObject(httpServerShape({ endpoint: 'localhost:8888' }))

/** Own metrics at /metrics on `endpoint` (host:port). */
export function metricsPageServer(
  endpoint: string,
  metrics: OwnMetrics,
  host: Pick<Host, 'clock' | 'disk' | 'log'>,
): HttpServer {
  const settings = serverSettings.parse({ endpoint })
  const handle = (_request: unknown, response: ServerResponse) => void answer(response, metrics)
  const routes = [{ method: 'GET', path: '/metrics', handle }] as const
  // It names no authenticator, and starts before any could run.
  const lender = { ...host, extension: () => undefined }
  return new HttpServer({ settings, where: '', routes }, lender)
}

/** Never rejects. */
async function answer(response: ServerResponse, metrics: OwnMetrics): Promise<void> {
  try {
    const page = await metrics.page()
    response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(page)
  } catch (error) {
    response
      .writeHead(500, { 'content-type': 'text/plain; charset=utf-8' })
      .end(`${String(error)}\n`)
  }
}
