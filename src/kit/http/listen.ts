import type { AddressInfo, ListenOptions, Server } from 'node:net'

/**
 * What node:net listens on for `host:port` as configured. Of the two loopback addresses `localhost` means the IPv4 one,
 * as in Go, wherever the resolver would begin; no host means every address.
 */
export function listenOptions(endpoint: string): ListenOptions {
  const colon = endpoint.lastIndexOf(':')
  const host = endpoint.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(endpoint.slice(colon + 1))
  if (host === '') return { port }
  return { port, host: host === 'localhost' ? '127.0.0.1' : host }
}

/**
 * Settles with the bound address once the server listens. `where` is the path of the settings, such as
 * `protocols.http`; a failure names it, the endpoint and what is wrong.
 */
export function listen(server: Server, endpoint: string, where: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      const message = `${where}.endpoint ${endpoint} cannot be listened on: ${reasonOf(error)}`
      reject(new Error(message, { cause: error }))
    }
    server.once('error', onError)
    server.listen(listenOptions(endpoint), () => {
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
