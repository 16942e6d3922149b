import type { Batch } from '../../../otlp/batch.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import { type Signal, signalNames } from '../../../otlp/signal.ts'
import type { Exporter } from '../../../pipeline/component.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import type { DiskFile } from '../../../platform/platform.ts'
import { createSender } from '../../../kit/queue/create-sender.ts'
import { retryOnFailure } from '../../../kit/retry/retry-settings.ts'
import { writeDetailed } from './detailed-text.ts'
import { nestedResource } from './nested.ts'
import { writeNormal } from './normal-text.ts'
import { Sampler } from './sampler.ts'
import { type DebugSettings, verbosityOf } from './settings.ts'
import { TextLines } from './text-lines.ts'

/** Of one batch, in characters. */
const textLengthMax = 1024 * 1024

const titles = { traces: 'Traces', metrics: 'Metrics', logs: 'Logs' } as const

export function debugExporter(settings: DebugSettings, host: ExporterHost): Exporter {
  const verbosity = verbosityOf(settings)
  const { sampling_initial, sampling_thereafter } = settings
  const samplers = new Map<Signal, Sampler>(
    signalNames.map((signal) => [
      signal,
      new Sampler(host.clock, sampling_initial, sampling_thereafter),
    ]),
  )
  let files: DiskFile[] = []

  async function send(batch: Batch): Promise<void> {
    if (!samplers.get(batch.signal)!.take()) return
    const title = titles[batch.signal]
    const counts = countsOf(batch)
    const lines = new TextLines(textLengthMax)
    if (verbosity === 'normal') writeNormal(lines, batch)
    else if (verbosity === 'detailed') writeDetailed(lines, batch)
    const text = lines.toString()
    if (settings.use_internal_logger) {
      host.log.info(counts, title)
      if (text !== '') host.log.info({}, text)
      return
    }
    await print(`${title} ${JSON.stringify(counts)}\n${text}`)
  }

  async function print(text: string): Promise<void> {
    try {
      for (const file of files) await file.append(Buffer.from(text))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Refusal('unavailable', `cannot print: ${reason}`, { cause: error })
    }
  }

  const sender = createSender({
    host,
    timeoutMs: 0,
    retry: retryOnFailure().parse({ enabled: false }),
    queue: settings.sending_queue,
    send,
  })
  return {
    async start() {
      if (settings.use_internal_logger) return
      const paths = settings.output_paths.map(devicePath)
      const opened = paths.map((path) => host.disk.openAppend(path, { truncate: false }))
      files = await Promise.all(opened)
    },
    consume: (batch) => sender.consume(batch),
    async stop(deadline) {
      await sender.stop(deadline)
      for (const file of files.splice(0)) await file.close()
    },
  }
}

function devicePath(path: string): string {
  return path === 'stdout' || path === 'stderr' ? `/dev/${path}` : path
}

/** The Collector's words for what is in a batch. */
function countsOf(batch: Batch): Record<string, number> {
  const resources = batch.groups.length
  if (batch.signal === 'traces') return { 'resource spans': resources, spans: batch.itemCount }
  if (batch.signal === 'logs') return { 'resource logs': resources, 'log records': batch.itemCount }
  const metrics = batch.groups.reduce((sum, group) => {
    const { scopes } = nestedResource(batch, group)
    return sum + scopes.reduce((count, { members }) => count + members.length, 0)
  }, 0)
  return { 'resource metrics': resources, metrics, 'data points': batch.itemCount }
}
