import { createServer, type Server } from 'node:http'
import { listen } from '../kit/http/listen.ts'
import type { OwnMetrics } from './own-metrics.ts'

const pageBuildMsMax = 10_000

/** Serves own metrics at /metrics on each endpoint (host:port). Settles with what closes them all again. */
export async function startMetricsPages(
  endpoints: readonly string[],
  metrics: OwnMetrics,
): Promise<() => Promise<void>> {
  const servers: Server[] = []
  const close = async () => void (await Promise.all(servers.map(closeServer)))
  for (const endpoint of endpoints) {
    const server = createServer({ requestTimeout: pageBuildMsMax }, (request, response) => {
      const path = request.url?.split('?', 1)[0]
      if (path !== '/metrics') {
        response
          .writeHead(404, { 'content-type': 'text/plain' })
          .end('The metrics are at /metrics\n')
        return
      }
      metrics.page().then(
        (page) =>
          response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(page),
        (error: unknown) => response.writeHead(500).end(String(error)),
      )
    })
    try {
      await listen(server, endpoint, 'service.telemetry.metrics')
    } catch (error) {
      await close()
      throw error
    }
    servers.push(server)
  }
  return close
}

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done())
    server.closeAllConnections()
  })
}
