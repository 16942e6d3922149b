import type { ClientInfo } from '../../otlp/client-info.ts'

const nothing: ReadonlyMap<string, never> = new Map<string, never>()

/** A client whose headers are not kept. */
export function anonymousClient(address: string): ClientInfo {
  return { address, metadata: nothing, auth: nothing }
}

/** Of the protocol itself, and not told to anybody (grpc-go hides the same). */
const reservedNames: ReadonlySet<string> = new Set([
  ':method',
  ':path',
  ':scheme',
  ':status',
  'te',
  'grpc-encoding',
  'grpc-message-type',
  'grpc-timeout',
])

/**
 * What the Collector keeps under `include_metadata`: every header in lower case, with `host` from `:authority` unless
 * sent. Values of `-bin` headers are decoded: each character is one byte. `rawHeaders` are names and values in turn.
 */
export function clientWithMetadata(address: string, rawHeaders: readonly string[]): ClientInfo {
  const metadata = new Map<string, string[]>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index].toLowerCase()
    if (reservedNames.has(name)) continue
    const value = rawHeaders[index + 1]
    const values = name.endsWith('-bin') ? value.split(',').map(decodeBinary) : [value]
    const known = metadata.get(name)
    if (known === undefined) metadata.set(name, values)
    else known.push(...values)
  }
  const authority = metadata.get(':authority')
  if (authority !== undefined && !metadata.has('host')) metadata.set('host', authority)
  return { address, metadata, auth: nothing }
}

function decodeBinary(value: string): string {
  return Buffer.from(value.trim(), 'base64').toString('latin1')
}
