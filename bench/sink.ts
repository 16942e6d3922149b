/** The far end of a benchmark: an OTLP/HTTP server that counts items. Prints `listening`, then JSON for every line it reads. */
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { gunzipSync } from 'node:zlib'
import { indexRequest } from '../src/otlp/index-request.ts'

let items = 0
let requests = 0
let bytes = 0

const server = createServer((request, response) => {
  const signal = request.url?.includes('metrics') ? 'metrics' : 'traces'
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const wire = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(wire) : wire
    items += indexRequest(signal, body).itemCount
    bytes += wire.length
    requests++
    response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': 0 }).end()
  })
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('listening\n'))

const lines = createInterface({ input: process.stdin })
lines.on('line', () => process.stdout.write(`${JSON.stringify({ items, requests, bytes })}\n`))
lines.on('close', () => process.exit(0))
