import type { Path } from '../config/located.ts'
import { locate, pathText, placeOf } from '../config/located.ts'
import type { Findings } from './findings.ts'

export interface Listener {
  readonly path: Path
  readonly endpoint: string
  readonly transport: 'tcp' | 'udp'
}

/** Two that listen on one port cannot both start; the later one is complained of. */
export function checkListeners(listeners: readonly Listener[], findings: Findings): void {
  listeners.forEach((listener, index) => {
    const other = listeners.slice(0, index).find((earlier) => collide(earlier, listener))
    if (other === undefined) return
    const isWritten = locate(findings.root, other.path) !== undefined
    const line = isWritten ? placeOf(findings.root, other.path).line : 0
    const where = line > 0 ? ` (line ${line})` : ''
    const what = `listens on ${listener.endpoint}, which ${pathText(other.path)}${where} takes`
    const same = other.endpoint === listener.endpoint ? ' already' : ` with ${other.endpoint}`
    findings.error(listener.path, `${what}${same}`)
  })
}

function collide(one: Listener, other: Listener): boolean {
  const [a, b] = [cut(one.endpoint), cut(other.endpoint)]
  if (one.transport !== other.transport || a.port !== b.port || a.port === 0) return false
  return a.host === b.host || a.host === anyHost || b.host === anyHost
}

const anyHost = '*'

function cut(endpoint: string): { host: string; port: number } {
  const colon = endpoint.lastIndexOf(':')
  const host = endpoint.slice(0, colon).replaceAll(/[[\]]/g, '').toLowerCase()
  const port = Number(endpoint.slice(colon + 1))
  if (['', '0.0.0.0', '::', '0:0:0:0:0:0:0:0'].includes(host)) return { host: anyHost, port }
  const isLocal = ['localhost', '127.0.0.1', '::1'].includes(host)
  return { host: isLocal ? 'localhost' : host, port }
}
