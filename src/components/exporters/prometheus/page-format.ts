/** Which of the formats a scraper gets, from its Accept header. */
import { type EscapingScheme, isEscapingScheme } from '../../../kit/prometheus/escaping.ts'

export type PageKind = 'text' | 'openmetrics' | 'protobuf'

export interface PageFormat {
  readonly kind: PageKind
  readonly scheme: EscapingScheme
  readonly contentType: string
}

interface Wish {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly weight: number
}

/**
 * By weight, then by order; nothing that matches gets text 0.0.4. As in client_golang the escaping parameter is
 * sticky: one seen on an entry that did not match holds for a later one that does.
 */
export function negotiate(accept: string | undefined, hasOpenMetrics: boolean): PageFormat {
  let scheme: EscapingScheme = 'underscores'
  for (const wish of wishes(accept ?? '')) {
    const escaping = wish.parameters.get('escaping')
    if (escaping !== undefined && isEscapingScheme(escaping)) scheme = escaping
    const type = matchingType(wish, hasOpenMetrics)
    if (type !== undefined) return pageFormat(type, scheme)
  }
  return pageFormat(textType('0.0.4'), scheme)
}

interface MatchingType {
  readonly kind: PageKind
  readonly contentType: string
}

function matchingType(wish: Wish, hasOpenMetrics: boolean): MatchingType | undefined {
  const version = wish.parameters.get('version')
  switch (wish.type) {
    case 'application/vnd.google.protobuf':
      return wish.parameters.get('proto') === 'io.prometheus.client.MetricFamily' &&
        wish.parameters.get('encoding') === 'delimited'
        ? protobufType
        : undefined
    case 'application/openmetrics-text': {
      const isKnown = version === undefined || version === '0.0.1' || version === '1.0.0'
      if (!hasOpenMetrics || !isKnown) return undefined
      const contentType = `application/openmetrics-text; version=${version ?? '0.0.1'}; charset=utf-8`
      return { kind: 'openmetrics', contentType }
    }
    case 'text/plain':
      if (version === undefined || version === '0.0.4') return textType('0.0.4')
      return version === '1.0.0' ? textType('1.0.0') : undefined
    case 'text/*':
    case '*/*':
      return textType('0.0.4')
    default:
      return undefined
  }
}

const protobufType: MatchingType = {
  kind: 'protobuf',
  contentType:
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
}

function textType(version: string): MatchingType {
  return { kind: 'text', contentType: `text/plain; version=${version}; charset=utf-8` }
}

function pageFormat({ kind, contentType }: MatchingType, scheme: EscapingScheme): PageFormat {
  return { kind, scheme, contentType: `${contentType}; escaping=${scheme}` }
}

function wishes(accept: string): Wish[] {
  return accept
    .split(',')
    .map(readWish)
    .filter(({ type, weight }) => type !== '' && weight > 0)
    .sort((left, right) => right.weight - left.weight)
}

function readWish(text: string): Wish {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim())
  const parameters = new Map<string, string>()
  for (const part of rest) {
    const equals = part.indexOf('=')
    if (equals === -1) continue
    const value = part.slice(equals + 1).trim()
    parameters.set(part.slice(0, equals).trim().toLowerCase(), value.replace(/^"(.*)"$/, '$1'))
  }
  const weight = Number(parameters.get('q') ?? '1')
  return { type: type.toLowerCase(), parameters, weight: Number.isFinite(weight) ? weight : 0 }
}

/**
 * Whether an Accept-Encoding header wants gzip (RFC 9110, 12.5.3): it must be allowed by its name, or else as any coding,
 * and no less wanted than what is not encoded. Who allows neither gets the page as it is, not a 406: the rule of 12.4.1
 * leaves that to us, and a scraper can do more with it.
 */
export function acceptsGzip(header: string | undefined): boolean {
  const weights = new Map<string, number>()
  for (const part of (header ?? '').split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
    // 8.4.1.3: the old name means the same.
    const name = coding === 'x-gzip' ? 'gzip' : coding
    weights.set(name, Math.max(weights.get(name) ?? 0, codingWeight(parameters)))
  }
  const gzip = weights.get('gzip') ?? weights.get('*') ?? 0
  return gzip > 0 && gzip >= (weights.get('identity') ?? 0)
}

/** What is no weight counts as none given, as in client_golang. */
function codingWeight(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => /^q=(0(\.\d*)?|1(\.0*)?)$/.test(parameter))
  return weight === undefined ? 1 : Number(weight.slice(2))
}
