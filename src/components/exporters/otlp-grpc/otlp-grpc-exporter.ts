import type { Batch } from '../../../otlp/batch.ts'
import { encodeBatchInto } from '../../../otlp/encode-batch.ts'
import { decodePartialSuccess, type PartialSuccess } from '../../../otlp/responses.ts'
import { signals } from '../../../otlp/signal.ts'
import type { Exporter } from '../../../pipeline/component.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import type { Labels } from '../../../pipeline/meter.ts'
import { BufferPool } from '../../../kit/buffers/buffer-pool.ts'
import { parseTarget } from '../../../kit/grpc/client-target.ts'
import type { GrpcClient } from '../../../kit/grpc/grpc-client.ts'
import { createSender } from '../../../kit/queue/create-sender.ts'
import type { OtlpGrpcSettings } from './settings.ts'

export function otlpGrpcExporter(settings: OtlpGrpcSettings, host: ExporterHost): Exporter {
  let opening: Promise<GrpcClient> | undefined
  // Only who sends by gRPC pays for loading its library: 17 MB and 50 ms.
  const open = () =>
    (opening ??= import('../../../kit/grpc/grpc-client.ts').then(
      (grpc) => new grpc.GrpcClient(settings, host),
    ))
  const pool = new BufferPool()
  const destination = destinationOf(settings.endpoint)

  async function send(batch: Batch, abort: AbortSignal): Promise<PartialSuccess | undefined> {
    const client = await open()
    const path = `/${signals[batch.signal].grpcService}/Export`
    const encoded = pool.take(batch.byteLength)
    encodeBatchInto(batch, encoded.bytes)
    const message = encoded.bytes
    const answer = await client.call({ path, message, abort, client: batch.client })
    // Only now: a call that failed may still hold the message.
    encoded.release()
    return decodePartialSuccess(batch.signal, answer, 'proto')
  }

  const sender = createSender({
    host,
    timeoutMs: settings.timeout,
    retry: settings.retry_on_failure,
    queue: settings.sending_queue,
    send,
    destination: () => destination,
  })
  return {
    async start() {
      const client = await open()
      client.connect()
    },
    consume: (batch) => sender.consume(batch),
    async stop(deadline) {
      await sender.stop(deadline)
      // One that could not be opened has failed the start, which said why.
      const client = await opening?.catch(() => undefined)
      client?.close()
    },
  }
}

/** Of `dns:///tempo:4317` tempo and 4317; a socket in the file system has no port. */
function destinationOf(endpoint: string): Labels {
  const target = parseTarget(endpoint)
  const address = typeof target === 'string' ? endpoint : target.target.replace(/^dns:.*\//, '')
  const [, server_address = address, server_port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? []
  return { server_address, server_port }
}
