import type { Exporter } from '../../../pipeline/component.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import { createSender } from '../../../kit/queue/create-sender.ts'
import { sendingQueue } from '../../../kit/queue/queue-settings.ts'
import { retryOnFailure } from '../../../kit/retry/retry-settings.ts'
import { FileWriter } from './file-writer.ts'
import { frame } from './frame.ts'
import type { FileSettings } from './settings.ts'

export function fileExporter(settings: FileSettings, host: ExporterHost): Exporter {
  const writer = new FileWriter(settings, host)
  // Neither queue nor retry: the caller keeps a batch until the system has it, and tries again when it has not.
  const sender = createSender({
    host,
    timeoutMs: 0,
    retry: retryOnFailure().parse({ enabled: false }),
    queue: sendingQueue().parse({ enabled: false }),
    send: (batch) => writer.write(frame(batch, settings)),
  })
  return {
    start: () => writer.open(),
    consume: (batch) => sender.consume(batch),
    async stop(deadline) {
      await sender.stop(deadline)
      // A disk that hangs must not hold up the stop: what waits for it was never answered for.
      const closed = writer.close()
      if (!deadline.aborted) return Promise.race([closed, aborted(deadline)])
      closed.catch(() => {})
      return undefined
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
