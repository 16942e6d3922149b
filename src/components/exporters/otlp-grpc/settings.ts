import type { z } from 'zod'
import { removed, section } from '../../../config/schema.ts'
import { grpcClientShape } from '../../../kit/grpc/client-settings.ts'
import { sendingQueue } from '../../../kit/queue/queue-settings.ts'
import { retryOnFailure } from '../../../kit/retry/retry-settings.ts'

export const otlpGrpcSettings = section({
  ...grpcClientShape(),
  retry_on_failure: retryOnFailure().describe('Waits between attempts.'),
  sending_queue: sendingQueue().describe('What waits to be sent.'),
  batcher: removed('use sending_queue.batch'),
})

export type OtlpGrpcSettings = z.output<typeof otlpGrpcSettings>
