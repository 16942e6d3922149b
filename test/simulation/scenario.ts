import { signalNames } from '../../src/otlp/signal.ts'
import { addedAttributes } from './sent-items.ts'
import type { SeededRandom } from './seeded-random.ts'

/** One gateway and what it has to live through, drawn from a seed. */
export interface Scenario {
  readonly yaml: string
  /** How long requests and faults go on. */
  readonly stormMs: number
  /** Mean time between two requests of one client. */
  readonly gapMs: number
  readonly itemCountMax: number
  /** The first item under each scope is larger by this. */
  readonly paddingBytes: number
  /** Whether the weather clears before the gateway is stopped, so that all must arrive. */
  readonly endsFair: boolean
  readonly latenessMsMax: number
  readonly limitMib: number
}

const [onResource, onItem] = addedAttributes

export function drawScenario(random: SeededRandom): Scenario {
  const limitMib = random.pick([1, 2, 8])
  return {
    limitMib,
    yaml: gatewayYaml(random, limitMib),
    stormMs: random.whole(4000, 16_000),
    gapMs: random.pick([100, 300, 800]),
    itemCountMax: random.pick([2, 8, 20]),
    paddingBytes: random.pick([0, 0, 4000]),
    endsFair: random.chance(0.7),
    latenessMsMax: random.pick([0, 0, 30]),
  }
}

function gatewayYaml(random: SeededRandom, limitMib: number): string {
  const sinks = numbered('sink', random.whole(1, 3))
  const batches = numbered('batch', random.whole(1, 2))
  const waits = random.chance(0.25)
  const pipelines = signalNames.flatMap((signal) => {
    const own = pipelineYaml(signal, 'sim', random, { sinks, batches })
    if (!random.chance(0.4)) return [own]
    const ends = { sinks: random.chance(0.3) ? sinks : [], batches, always: ['forward'] }
    return [
      pipelineYaml(signal, 'sim', random, ends),
      pipelineYaml(`${signal}/near`, 'forward', random, { sinks, batches }),
      ...(random.chance(0.5)
        ? [pipelineYaml(`${signal}/far`, 'forward', random, { sinks, batches })]
        : []),
    ]
  })
  return `receivers:
  sim:
processors:
  memory_limiter: { check_interval: 1s, limit_mib: ${limitMib} }
  resource: { attributes: [{ key: ${onResource}, value: sim, action: upsert }] }
  attributes: { actions: [{ key: ${onItem}, value: true, action: upsert }] }
${batches.map((id) => `  ${id}: ${batchYaml(random, waits)}`).join('\n')}
connectors:
  forward:
exporters:
${sinks.map((id) => `  ${id}: ${sinkYaml(random, waits)}`).join('\n')}
service:
  pipelines:
${pipelines.join('\n')}
  telemetry: { metrics: { level: ${random.pick(['basic', 'detailed'])} } }
  shutdown_timeout: ${random.pick(['500ms', '5s', '20s'])}
`
}

function numbered(type: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${type}/${index + 1}`)
}

interface Parts {
  readonly sinks: readonly string[]
  readonly batches: readonly string[]
  /** Exporters that it has in any case. */
  readonly always?: readonly string[]
}

function pipelineYaml(
  id: string,
  receiver: string,
  random: SeededRandom,
  { sinks, batches, always = [] }: Parts,
): string {
  const exporters = [...always, ...sinks.filter(() => random.chance(0.6))]
  if (exporters.length === 0) exporters.push(sinks[0])
  const processors = [
    ...(receiver === 'sim' ? ['memory_limiter'] : []),
    ...(random.chance(0.5) ? ['resource'] : []),
    ...(random.chance(0.3) ? ['attributes'] : []),
    ...(random.chance(0.5) ? [random.pick(batches)] : []),
  ]
  return `    ${id}: { receivers: [${receiver}], processors: [${processors.join(', ')}], exporters: [${exporters.join(', ')}] }`
}

function batchYaml(random: SeededRandom, waits: boolean): string {
  const size = random.pick([0, 5, 50, 8192])
  const settings = [
    `timeout: ${random.pick(['0s', '50ms', '1s'])}`,
    `send_batch_size: ${size}`,
    `send_batch_max_size: ${random.pick([0, Math.max(size, 7)])}`,
    `wait_for_export: ${waits && random.chance(0.7)}`,
    ...(random.chance(0.4) ? ['metadata_keys: [tenant]'] : []),
  ]
  return `{ ${settings.join(', ')} }`
}

function sinkYaml(random: SeededRandom, waits: boolean): string {
  return `{ timeout: ${random.pick(['0s', '1s', '4s'])}, ${retryYaml(random)}, ${queueYaml(random, waits)} }`
}

function retryYaml(random: SeededRandom): string {
  const budget = random.pick(['0s', '10s', '60s'])
  const enabled = random.chance(0.85)
  return `retry_on_failure: { enabled: ${enabled}, initial_interval: ${random.pick(['100ms', '1s'])}, max_interval: 5s, max_elapsed_time: ${budget} }`
}

/** Where batches are waited for, a queue must have room for all the pieces that one is cut into: they come at once. */
function queueYaml(random: SeededRandom, isRoomy: boolean): string {
  const sizer = random.pick(['requests', 'items', 'bytes'])
  const size = { requests: [4, 6, 1000], items: [30, 60, 1000], bytes: [20_000, 400_000] }[sizer]!
  const queueSize = isRoomy ? size.at(-1)! : random.pick(size)
  const batchSizer = random.pick(['items', 'bytes'])
  const least = Math.min(random.pick([0, 10, 100]), queueSize)
  const most = random.pick([0, Math.max(least, batchSizer === 'items' ? 10 : 1000)])
  const batch = `batch: { flush_timeout: ${random.pick(['50ms', '1s'])}, sizer: ${batchSizer}, min_size: ${least}, max_size: ${most} }`
  const settings = [
    `enabled: ${random.chance(0.8)}`,
    `num_consumers: ${random.whole(1, 4)}`,
    `queue_size: ${queueSize}`,
    `sizer: ${sizer}`,
    `block_on_overflow: ${random.chance(0.3)}`,
    `wait_for_result: ${random.chance(0.25)}`,
    ...(random.chance(0.4) ? [batch] : []),
  ]
  return `sending_queue: { ${settings.join(', ')} }`
}
