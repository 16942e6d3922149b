import { BlockList, isIP } from 'node:net'
import type { Env } from '../../platform/platform.ts'

/**
 * The proxy that HTTP_PROXY or HTTPS_PROXY names for a URL, unless NO_PROXY excepts it. By the rules of Go's
 * net/http, which Collector users know: nothing on this machine goes through a proxy, and https: has only its own.
 */
export function proxyFromEnv(url: URL, env: Env): string | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const proxy = variable(env, name)
  if (proxy === '' || !needsProxy(url, variable(env, 'NO_PROXY'))) return undefined
  return /^[a-z]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`
}

function variable(env: Env, name: string): string {
  return env[name] || env[name.toLowerCase()] || ''
}

function needsProxy(url: URL, exceptions: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  if (host === 'localhost' || isWithin(host, '127.0.0.0/8') || host === '::1') return false
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const entries = exceptions.split(',').map((entry) => entry.trim().toLowerCase())
  return !entries.some((entry) => entry !== '' && isExcepted({ host, port }, entry))
}

/** An entry is `*`, a network, an address, a domain with what is below it, or `.domain` for what is below alone. */
function isExcepted({ host, port }: { host: string; port: string }, entry: string): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return isWithin(host, entry)
  const [, name, ownPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(
    isIP(entry) === 6 ? `[${entry}]` : entry,
  )!
  if (ownPort !== undefined && ownPort !== port) return false
  if (isIP(name) !== 0) return host === name
  const domain = name.replace(/^\*?\./, '')
  return host.endsWith(`.${domain}`) || (domain === name && host === domain)
}

function isWithin(host: string, network: string): boolean {
  const family = isIP(host)
  const [address, prefix] = network.split('/')
  const bits = Number(prefix)
  if (family === 0 || isIP(address) !== family || !(bits >= 0 && bits <= (family === 4 ? 32 : 128)))
    return false
  const list = new BlockList()
  list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6')
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6')
}
