/** The far end of a benchmark: a server for OTLP/HTTP and remote write that counts items. Prints `listening`, then JSON for every line it reads. */
import { createServer, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { gunzipSync } from 'node:zlib'
import { uncompressSnappy } from '../src/kit/compression/snappy.ts'
import { indexRequest } from '../src/otlp/index-request.ts'
import { FieldReader } from '../src/wire/field-reader.ts'

const answerHeaders = { 'content-type': 'application/x-protobuf', 'content-length': 0 }

const targetInfo = Buffer.from('target_info')
let items = 0
/** Samples of target_info. */
let infos = 0
let requests = 0
let bytes = 0
/** What remote write 2.0 asks a server to answer. */
let lastWritten: Record<string, number> = {}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const wire = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
    items += countItems(request, wire)
    bytes += wire.length
    requests++
    response.writeHead(200, { ...answerHeaders, ...lastWritten }).end()
  })
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('listening\n'))

const lines = createInterface({ input: process.stdin })
lines.on('line', () =>
  process.stdout.write(`${JSON.stringify({ items, infos, requests, bytes })}\n`),
)
lines.on('close', () => process.exit(0))

function countItems({ url = '', headers }: IncomingMessage, wire: Buffer): number {
  if (url.includes('write')) return countWritten(headers['content-type'] ?? '', wire)
  const body = headers['content-encoding'] === 'gzip' ? gunzipSync(wire) : wire
  return indexRequest(url.includes('metrics') ? 'metrics' : 'traces', body).itemCount
}

/** Samples of a remote write request, without those of target_info: they are no points. */
function countWritten(contentType: string, wire: Buffer): number {
  const body = uncompressSnappy(wire, 64 * 1024 * 1024)
  const isV2 = contentType.includes('v2')
  const scan = new FieldReader(body)
  const series = new FieldReader(body)
  let [symbolCount, infoSymbol, infoCount, sampleCount] = [0, -1, 0, 0]
  while (scan.next()) {
    if (isV2 && scan.is(4)) {
      if (isTargetInfo(scan)) infoSymbol = symbolCount
      symbolCount++
    }
    if (!scan.is(isV2 ? 5 : 1)) continue
    series.reset(body, scan.start, scan.end)
    let isInfo = false
    while (series.next()) {
      // The name comes first: as the first label, or as the second of the references.
      if (series.is(1) && series.fieldStart === scan.start) {
        isInfo = isV2 ? namesSymbol(series, infoSymbol) : isTargetInfo(series)
      }
      if (!series.is(2)) continue
      sampleCount++
      if (isInfo) infoCount++
    }
  }
  lastWritten = isV2 ? { 'x-prometheus-remote-write-samples-written': sampleCount } : {}
  infos += infoCount
  return sampleCount - infoCount
}

function isTargetInfo({ bytes, start, end }: FieldReader): boolean {
  const nameAt = end - targetInfo.length
  return nameAt >= start && targetInfo.every((byte, index) => bytes[nameAt + index] === byte)
}

/** Whether the second varint is that number. */
function namesSymbol({ bytes, start }: FieldReader, symbol: number): boolean {
  let at = start
  while (bytes[at] >= 0x80) at++
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[++at]
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value === symbol
  }
}
