import type { Batch } from '../../../otlp/batch.ts'
import { encodeBatchInto } from '../../../otlp/encode-batch.ts'
import { encodeJson } from '../../../otlp/encode-json.ts'
import type { PartialSuccess } from '../../../otlp/responses.ts'
import type { Signal } from '../../../otlp/signal.ts'
import type { Exporter } from '../../../pipeline/component.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import type { Labels } from '../../../pipeline/meter.ts'
import { BufferPool, type Lease } from '../../../kit/buffers/buffer-pool.ts'
import { bodyCompressor } from '../../../kit/http/client-settings.ts'
import type { HttpClient } from '../../../kit/http/http-client.ts'
import { createSender } from '../../../kit/queue/create-sender.ts'
import { readAnswer } from './read-answer.ts'
import { type OtlpHttpSettings, signalUrl } from './settings.ts'

export function otlpHttpExporter(settings: OtlpHttpSettings, host: ExporterHost): Exporter {
  // Every signal has one: the check of the configuration saw to it.
  const urls = new Map<Signal, URL>()
  for (const signal of host.signals) urls.set(signal, signalUrl(settings, signal)!)
  let opening: Promise<HttpClient> | undefined
  // Only who sends by HTTP pays for loading its library: 28 MB and 100 ms.
  const open = () =>
    (opening ??= import('../../../kit/http/http-client.ts').then(
      (http) => new http.HttpClient(settings, host),
    ))
  const compressor = bodyCompressor(settings)
  const headers = requestHeaders(settings, host.version, compressor?.encoding)
  const pool = new BufferPool()
  const encode = settings.encoding === 'json' ? encodeJsonBytes : encodeProto

  async function send(batch: Batch, abort: AbortSignal): Promise<PartialSuccess | undefined> {
    const client = await open()
    const encoded = encode(batch, pool)
    let body = encoded.bytes
    if (compressor !== undefined) {
      body = await compressor.compress(encoded.bytes)
      encoded.release()
    }
    const url = urls.get(batch.signal)!
    const answer = await client.post({ url, headers, body, abort, client: batch.client })
    // Only a server that took the request has read all of it; before that its bytes may still be on their way.
    if (compressor === undefined && answer.status === 200) encoded.release()
    return readAnswer(answer, { signal: batch.signal, url, nowMs: host.clock.nowMs() })
  }

  const sender = createSender({
    host,
    timeoutMs: settings.timeout,
    retry: settings.retry_on_failure,
    queue: settings.sending_queue,
    send,
    destination: (signal) => destinationOf(urls.get(signal)!),
  })
  return {
    async start() {
      await open()
    },
    consume: (batch) => sender.consume(batch),
    async stop(deadline) {
      await sender.stop(deadline)
      // One that could not be opened has failed the start, which said why.
      const client = await opening?.catch(() => undefined)
      await client?.close()
    },
  }
}

function destinationOf({ hostname, port, protocol, pathname }: URL): Labels {
  const server_port = port || (protocol === 'https:' ? '443' : '80')
  return { server_address: hostname.replace(/^\[|\]$/g, ''), server_port, url_path: pathname }
}

function encodeProto(batch: Batch, pool: BufferPool): Lease {
  const lease = pool.take(batch.byteLength)
  encodeBatchInto(batch, lease.bytes)
  return lease
}

function encodeJsonBytes(batch: Batch): Lease {
  return { bytes: Buffer.from(encodeJson(batch)), release: () => {} }
}

/** The user's headers win over ours, whatever their case. */
function requestHeaders(
  settings: OtlpHttpSettings,
  version: string,
  encoding: string | undefined,
): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': settings.encoding === 'json' ? 'application/json' : 'application/x-protobuf',
    'user-agent': `Penstock/${version}`,
    ...(encoding !== undefined && { 'content-encoding': encoding }),
  }
  for (const [name, value] of Object.entries(settings.headers)) {
    headers[name.toLowerCase()] = value.reveal()
  }
  return headers
}
