import type { Batch } from '../../../otlp/batch.ts'
import { encodeBatchInto } from '../../../otlp/encode-batch.ts'
import { decodePartialSuccess, type PartialSuccess } from '../../../otlp/responses.ts'
import { signals } from '../../../otlp/signal.ts'
import type { Exporter } from '../../../pipeline/component.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import { BufferPool } from '../../../kit/buffers/buffer-pool.ts'
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
