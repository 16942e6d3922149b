import type { ListenOptions } from 'node:net'

/** What node:net listens on for an endpoint as configured. */
export function listenOptions(endpoint: string, transport: string): ListenOptions {
  if (transport === 'unix') return { path: endpoint }
  const colon = endpoint.lastIndexOf(':')
  const host = endpoint.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(endpoint.slice(colon + 1))
  if (host === '') return { port }
  // As Go does: of the two loopback addresses the IPv4 one, wherever the resolver would begin.
  const ipv4 = host === 'localhost' ? '127.0.0.1' : host
  return { port, host: transport === 'tcp6' && host === 'localhost' ? '::1' : ipv4 }
}
