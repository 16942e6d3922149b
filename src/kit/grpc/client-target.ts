export interface GrpcTarget {
  /** As grpc-js takes it: scheme:///address, or host:port. */
  readonly target: string
  /** What a scheme of the endpoint says about TLS; undefined leaves it to the `tls` settings. */
  readonly isPlaintext: boolean | undefined
}

/** What an `endpoint` means, or the rule it breaks. */
export function parseTarget(endpoint: string): GrpcTarget | string {
  if (endpoint === '') return 'must not be empty'
  const [, scheme, rest] = /^([a-z]+):\/\/(.*)$/.exec(endpoint) ?? []
  if (scheme === undefined) {
    // unix:path and unix-abstract:name have no slashes.
    return /^unix(-abstract)?:/.test(endpoint) ? named(endpoint) : checked(endpoint, {})
  }
  if (scheme === 'unix') return named(endpoint)
  if (scheme === 'dns') return checked(rest, { prefix: 'dns://' })
  // Go resolves nothing for passthrough; grpc-js does that for addresses and asks the system for names.
  if (scheme === 'passthrough') return checked(rest, {})
  if (scheme === 'http' || scheme === 'https') {
    if (rest.replace(/\/$/, '').includes('/')) {
      return `must be host:port without a path, got ${endpoint}`
    }
    return checked(rest.replace(/\/$/, ''), { isPlaintext: scheme === 'http' })
  }
  return `must be host:port, or begin with http://, https://, dns:// or unix://, got ${endpoint}`
}

function named(target: string): GrpcTarget {
  return { target, isPlaintext: undefined }
}

interface Form {
  readonly prefix?: string
  readonly isPlaintext?: boolean
}

/** `address` may carry the authority of its scheme before the last slash, which says who resolves it. */
function checked(address: string, { prefix = '', isPlaintext }: Form): GrpcTarget | string {
  const slash = address.lastIndexOf('/')
  const hostPort = address.slice(slash + 1)
  const found = /^(\[[0-9a-fA-F:.%]+\]|[^:[\]\s]+):(\d{1,5})$/.exec(hostPort)
  if (found === null || Number(found[2]) > 65_535) {
    return `must be host:port, such as localhost:4317, got ${hostPort}`
  }
  return { target: prefix === '' ? hostPort : prefix + address, isPlaintext }
}
