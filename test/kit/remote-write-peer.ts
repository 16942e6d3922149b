/**
 * A remote write receiver for tests: decodes with protobufjs and snappyjs, and enforces what the specifications ask of
 * senders. What it finds wrong is collected in `violations`.
 */
import { isDeepStrictEqual } from 'node:util'
import snappyJs from 'snappyjs'
import { zstdDecompressSync } from 'node:zlib'
import { startHttpPeer, type HttpPeer, type PeerAnswer, type PeerRequest } from './http-peer.ts'
import { decodeMessage, type PlainMessage } from './oracle.ts'
import {
  checkExemplar,
  checkHistogram,
  checkKnown,
  checkSamples,
  list,
  type Rule,
} from './remote-write-rules.ts'

export interface WrittenSample {
  /** Such as `up{job="a"}`, labels sorted. */
  readonly series: string
  readonly value: number
  readonly timeMs: number
  readonly startMs: number
  readonly histogram: PlainMessage | undefined
}

export interface WrittenExemplar {
  readonly series: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly timeMs: number
}

export interface WrittenRequest {
  readonly version: 1 | 2
  readonly samples: WrittenSample[]
  readonly exemplars: WrittenExemplar[]
  /** By family in 1.0, by series in 2.0. */
  readonly metadata: Map<string, PlainMessage>
  readonly headers: PeerRequest['headers']
  /** Uncompressed, for what decoding would change. */
  readonly bytes: Uint8Array
}

export interface RemoteWritePeer {
  readonly url: string
  /** Every request that came, whatever it was answered. */
  readonly requests: WrittenRequest[]
  /** Those that were answered with success. */
  readonly accepted: WrittenRequest[]
  readonly violations: string[]
  /** Success unless set. */
  respond: (request: WrittenRequest) => PeerAnswer | 'never' | 'cut' | undefined
  /** All values accepted, by series, oldest first. */
  values(): Map<string, [timeMs: number, value: number][]>
  close(): Promise<void>
}

export async function startRemoteWritePeer(): Promise<RemoteWritePeer> {
  const http: HttpPeer = await startHttpPeer()
  const newest = new Map<string, WrittenSample>()
  const peer: RemoteWritePeer = {
    url: `${http.url}/api/v1/write`,
    requests: [],
    accepted: [],
    violations: [],
    respond: () => undefined,
    values: () => valuesOf(peer.accepted),
    close: () => http.close(),
  }
  http.respond = (incoming) => {
    const request = tryRead(incoming, peer.violations)
    if (request === undefined) return { status: 400, body: 'cannot be decoded' }
    peer.requests.push(request)
    const answer = peer.respond(request)
    const isAccepted =
      answer === undefined || (typeof answer !== 'string' && (answer.status ?? 200) < 300)
    if (isAccepted) {
      for (const sample of request.samples) {
        const violation = orderViolation(sample, newest.get(sample.series))
        if (violation !== undefined) peer.violations.push(violation)
        newest.set(sample.series, sample)
      }
      peer.accepted.push(request)
    }
    return answer ?? { status: 204, headers: request.version === 2 ? writtenHeaders(request) : {} }
  }
  return peer
}

/** As Prometheus has it: the newest sample may come again, but only as it was. */
function orderViolation(
  { series, timeMs, value, histogram }: WrittenSample,
  newest: WrittenSample | undefined,
): string | undefined {
  if (newest === undefined || timeMs > newest.timeMs) return undefined
  if (timeMs < newest.timeMs) return `order of ${series}`
  const isSame = Object.is(value, newest.value) && isDeepStrictEqual(histogram, newest.histogram)
  return isSame ? undefined : `duplicate sample for timestamp ${timeMs} of ${series}`
}

export function writtenHeaders({ samples, exemplars }: WrittenRequest): Record<string, string> {
  const histograms = samples.filter(({ histogram }) => histogram !== undefined).length
  return {
    'X-Prometheus-Remote-Write-Samples-Written': String(samples.length - histograms),
    'X-Prometheus-Remote-Write-Histograms-Written': String(histograms),
    'X-Prometheus-Remote-Write-Exemplars-Written': String(exemplars.length),
  }
}

function valuesOf(requests: readonly WrittenRequest[]): Map<string, [number, number][]> {
  const values = new Map<string, [number, number][]>()
  for (const { samples } of requests) {
    for (const { series, timeMs, value, histogram } of samples) {
      if (histogram !== undefined) continue
      const known = values.get(series)
      if (known === undefined) values.set(series, [[timeMs, value]])
      else known.push([timeMs, value])
    }
  }
  return values
}

/** Undefined for what is not snappy's block format, or no message. */
function tryRead(request: PeerRequest, violations: string[]): WrittenRequest | undefined {
  try {
    return readRequest(request, violations)
  } catch (error) {
    violations.push(`cannot be decoded: ${String(error)}`)
    return undefined
  }
}

function readRequest({ method, headers, body }: PeerRequest, violations: string[]): WrittenRequest {
  const rule = (holds: boolean, what: string) => void (holds || violations.push(what))
  rule(method === 'POST', `method ${method}`)
  const type = headers['content-type'] ?? ''
  const version = type.includes('v2') ? 2 : 1
  const expected = [
    'application/x-protobuf',
    'application/x-protobuf;proto=io.prometheus.write.v2.Request',
  ]
  rule(type === expected[version - 1], `content type ${type}`)
  const versionHeader = headers['x-prometheus-remote-write-version']
  rule(versionHeader === ['0.1.0', '2.0.0'][version - 1], `version ${String(versionHeader)}`)
  rule(headers['user-agent'] !== undefined, 'no user agent')
  const attempt = headers['retry-attempt']
  rule(attempt === undefined || /^[1-9]\d*$/.test(String(attempt)), `attempt ${String(attempt)}`)
  const encoding = headers['content-encoding']
  rule(encoding === 'snappy' || encoding === 'zstd', `encoding ${encoding}`)
  const bytes =
    encoding === 'zstd' ? zstdDecompressSync(body) : new Uint8Array(snappyJs.uncompress(body))
  const read = version === 1 ? readV1 : readV2
  return { ...read(bytes, rule), version, headers, bytes }
}

type Read = Pick<WrittenRequest, 'samples' | 'exemplars' | 'metadata'>
type Pairs = readonly (readonly [name: string, value: string])[]

function readV1(bytes: Uint8Array, rule: Rule): Read {
  const message = decodeMessage('prometheus.WriteRequest', bytes, { unknown: true })
  checkKnown(message, rule)
  const into: Read = { samples: [], exemplars: [], metadata: new Map() }
  const kindOf = new Map<string, string>()
  for (const one of list(message.timeseries)) {
    const series = seriesText(labelPairs(list(one.labels)), rule)
    const kind = list(one.histograms).length > 0 ? 'histograms' : 'samples'
    rule(kindOf.get(series) !== kind, `${series} comes twice`)
    kindOf.set(series, kind)
    readSeries(into, series, one, (exemplar) => labelPairs(list(exemplar.labels)))
    checkSeries(one, (exemplar) => labelPairs(list(exemplar.labels)), { version: 1, series, rule })
  }
  for (const one of list(message.metadata)) {
    into.metadata.set(one.metricFamilyName as string, one)
  }
  return into
}

function readV2(bytes: Uint8Array, rule: Rule): Read {
  const message = decodeMessage('io.prometheus.write.v2.Request', bytes, { unknown: true })
  checkKnown(message, rule)
  const symbols = (message.symbols ?? []) as string[]
  rule(symbols[0] === '', 'the first symbol is not empty')
  rule(new Set(symbols).size === symbols.length, 'a symbol comes twice')
  const used = new Set([0])
  const text = (ref: number) => {
    rule(ref < symbols.length, `reference ${ref} of ${symbols.length}`)
    used.add(ref)
    return symbols[ref] ?? ''
  }
  const pairs = (refs: unknown): Pairs => {
    const numbers = (refs ?? []) as number[]
    rule(numbers.length % 2 === 0, 'an odd number of references')
    return Array.from({ length: numbers.length / 2 }, (_, index) => [
      text(numbers[index * 2]),
      text(numbers[index * 2 + 1]),
    ])
  }
  const into: Read = { samples: [], exemplars: [], metadata: new Map() }
  for (const one of list(message.timeseries)) {
    const series = seriesText(pairs(one.labelsRefs), rule)
    readSeries(into, series, one, (exemplar) => pairs(exemplar.labelsRefs))
    checkSeries(one, (exemplar) => pairs(exemplar.labelsRefs), { version: 2, series, rule })
    const { type = 0, helpRef = 0, unitRef = 0 } = (one.metadata ?? {}) as Record<string, number>
    rule(type >= 0 && type <= 7, `${series} is of type ${type}`)
    into.metadata.set(series, { type, help: text(helpRef), unit: text(unitRef) })
  }
  rule(used.size === symbols.length, 'a symbol that nothing refers to')
  return into
}

function checkSeries(
  one: PlainMessage,
  labelsOf: (exemplar: PlainMessage) => Pairs,
  of: { version: 1 | 2; series: string; rule: Rule },
): void {
  checkSamples(one, of.series, of.rule)
  for (const histogram of list(one.histograms)) checkHistogram(histogram, of)
  for (const exemplar of list(one.exemplars)) checkExemplar(exemplar, labelsOf(exemplar), of)
}

function labelPairs(labels: readonly PlainMessage[]): Pairs {
  return labels.map(({ name, value }) => [(name ?? '') as string, (value ?? '') as string])
}

function seriesText(pairs: Pairs, rule: Rule): string {
  const names = pairs.map(([name]) => name)
  const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  rule(names.join('\0') === sorted.join('\0'), `labels are not sorted: ${names.join()}`)
  rule(new Set(names).size === names.length, `a label comes twice: ${names.join()}`)
  rule(
    pairs.every((pair) => pair[0] !== '' && pair[1] !== ''),
    `an empty label: ${pairs.join()}`,
  )
  rule(names.includes('__name__'), 'no name')
  const rest = pairs.filter(([name]) => name !== '__name__')
  const name = pairs.find((pair) => pair[0] === '__name__')?.[1] ?? ''
  return `${name}{${rest.map((pair) => `${pair[0]}=${JSON.stringify(pair[1])}`).join(',')}}`
}

function readSeries(
  into: Read,
  series: string,
  one: PlainMessage,
  labelsOf: (exemplar: PlainMessage) => Pairs,
): void {
  for (const sample of list(one.samples)) {
    const value = (sample.value ?? 0) as number
    const { timestamp, startTimestamp = 0n } = sample
    into.samples.push({
      series,
      value,
      timeMs: Number(timestamp),
      startMs: Number(startTimestamp),
      histogram: undefined,
    })
  }
  for (const histogram of list(one.histograms)) {
    const { timestamp, startTimestamp = 0n } = histogram
    into.samples.push({
      series,
      value: NaN,
      timeMs: Number(timestamp),
      startMs: Number(startTimestamp),
      histogram,
    })
  }
  for (const exemplar of list(one.exemplars)) {
    into.exemplars.push({
      series,
      labels: Object.fromEntries(labelsOf(exemplar)),
      value: (exemplar.value ?? 0) as number,
      timeMs: Number(exemplar.timestamp),
    })
  }
}
