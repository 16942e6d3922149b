import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyCorsOptions } from '@fastify/cors'
import type { CorsSettings } from './server-settings.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => void

export interface CorsLayer {
  readonly listener: Listener
  close(): Promise<unknown>
}

/** Of CORS itself: what browsers may send without asking, and what the Collector's library always allows. */
const headersAlwaysAllowed = ['Accept', 'Accept-Language', 'Content-Type', 'Content-Language']
const headersByDefault = ['X-Requested-With']

/**
 * Puts @fastify/cors before a listener: preflights are answered, every other response gets its headers. Undefined where
 * no origin is allowed: then OPTIONS is a method like any other, and fastify, which would cost a request a tenth of its
 * time and the process a third of its start-up, is not even loaded.
 */
export async function corsLayer(
  settings: CorsSettings | undefined,
  next: Listener,
): Promise<CorsLayer | undefined> {
  const options = corsOptions(settings)
  if (options === undefined) return undefined
  const [{ fastify }, { fastifyCors }] = await Promise.all([
    import('fastify'),
    import('@fastify/cors'),
  ])
  const app = fastify()
  await app.register(fastifyCors, options)
  // Bodies are read by the handlers, straight from the request.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.setNotFoundHandler((request, reply) => {
    // fastify is not going to answer, so the plug-in's headers would get lost with it.
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value)
    }
    reply.hijack()
    next(request.raw, reply.raw)
  })
  await app.ready()
  return {
    listener: (request, response) => app.routing(request, response),
    close: () => app.close(),
  }
}

function corsOptions(settings: CorsSettings | undefined): FastifyCorsOptions | undefined {
  if (settings === undefined || settings.allowed_origins.length === 0) return undefined
  const asked = settings.allowed_headers.length > 0 ? settings.allowed_headers : headersByDefault
  return {
    origin: originRule(settings.allowed_origins),
    credentials: true,
    methods: ['GET', 'POST', 'HEAD'],
    // A request of a browser that asks for nothing in particular is not a preflight.
    strictPreflight: false,
    // Without a list the plug-in allows whatever was asked for.
    ...(!asked.includes('*') && { allowedHeaders: [...headersAlwaysAllowed, ...asked] }),
    ...(settings.exposed_headers.length > 0 && { exposedHeaders: settings.exposed_headers }),
    ...(settings.max_age > 0 && { maxAge: settings.max_age }),
  }
}

function originRule(patterns: readonly string[]): '*' | RegExp[] {
  return patterns.includes('*') ? '*' : patterns.map(originPattern)
}

/** A wildcard stands for any text, also none; case does not matter in an origin. */
function originPattern(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 'i')
}
