import type { AddressInfo, ListenOptions, Server } from 'node:net'

/** The Collector's words for kinds of sockets. */
export type Transport = 'tcp' | 'tcp4' | 'tcp6' | 'unix'

/**
 * What node:net listens on for `host:port`, or the path of a unix socket, as configured. Of the two loopback addresses
 * `localhost` means the IPv4 one, as in Go, wherever the resolver would begin; no host means every address.
 */
export function listenOptions(endpoint: string, transport: Transport = 'tcp'): ListenOptions {
  if (transport === 'unix') return { path: endpoint }
  const colon = endpoint.lastIndexOf(':')
  const host = endpoint.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(endpoint.slice(colon + 1))
  if (host === '') return transport === 'tcp4' ? { port, host: '0.0.0.0' } : { port }
  if (host !== 'localhost') return { port, host }
  return { port, host: transport === 'tcp6' ? '::1' : '127.0.0.1' }
}

/**
 * Settles with the bound address once the server listens (of a unix socket its path). `where` is the path of the settings, such as
 * `protocols.http`; a failure names it, the endpoint and what is wrong.
 */
export function listen(
  server: Server,
  endpoint: string,
  where: string,
  transport?: Transport,
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      const setting = where === '' ? 'endpoint' : `${where}.endpoint`
      const message = `${setting} ${endpoint} cannot be listened on: ${reasonOf(error)}`
      reject(new Error(message, { cause: error }))
    }
    server.once('error', onError)
    server.listen(listenOptions(endpoint, transport), () => {
      server.removeListener('error', onError)
      resolve(server.address() as AddressInfo)
    })
  })
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'another process, or another component, already listens there (EADDRINUSE)'
    case 'EACCES':
      return 'ports below 1024 need a privilege this process lacks (EACCES)'
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address (EADDRNOTAVAIL)'
    case 'ENOTFOUND':
      return 'the host name is not known (ENOTFOUND)'
    default:
      return error.message
  }
}
