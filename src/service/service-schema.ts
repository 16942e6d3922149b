/** The `service` section: which components run, how they are joined, and what the gateway says of itself. */
import { z } from 'zod'
import {
  componentId,
  duration,
  listenEndpoint,
  section,
  text,
  unsupported,
} from '../config/schema.ts'
import { metricLevels } from '../pipeline/component.ts'
import type { CheckedTelemetry } from './checked-config.ts'

const logLevels = ['debug', 'info', 'warn', 'error', 'dpanic', 'panic', 'fatal'] as const

/** A list of component ids; null means none, as in the Collector. */
function idList() {
  return z.preprocess((value) => value ?? [], z.array(componentId())).prefault([])
}

export const extensionsSchema = idList()

export const pipelineSchema = section({
  receivers: idList().describe('Receivers, and connectors that end other pipelines.'),
  processors: idList().describe('Processors, in the order that telemetry passes them.'),
  exporters: idList().describe('Exporters, and connectors that begin other pipelines.'),
})

function level<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? value.toLowerCase() : value),
    z.enum(names).meta({ form: 'any case' }),
  )
}

/** A setting that is taken so that configurations load, and changes nothing here. */
function ineffective(schema: z.ZodType, why: string) {
  return schema.optional().describe(`Accepted, without effect: ${why}.`)
}

function streams(name: string) {
  return z
    .array(z.literal('stderr', { error: `must be stderr; logs cannot go elsewhere yet` }))
    .prefault(['stderr'])
    .describe(`Where ${name} go: stderr is the one place supported.`)
}

const logs = section({
  level: level(logLevels).prefault('info').describe('Logs below this level are left out.'),
  encoding: z
    .enum(['console', 'json'])
    .prefault('console')
    .describe('console for people, json for machines: one object a line.'),
  initial_fields: z
    .record(z.string(), z.unknown())
    .prefault({})
    .describe('Fields added to every log line.'),
  output_paths: streams('logs'),
  error_output_paths: streams('errors of the logger itself'),
  development: ineffective(z.boolean(), 'logs have one form'),
  disable_caller: ineffective(z.boolean(), 'logs carry no caller'),
  disable_stacktrace: ineffective(z.boolean(), 'logs carry stacks only where an error has one'),
  disable_zap_resource: ineffective(z.boolean(), 'logs carry no resource'),
  sampling: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Leave lines out at all.'),
      tick: duration().prefault('10s').describe('How long lines of one text are counted together.'),
      initial: z.int().min(0).default(10).describe('How many of them are written in that time.'),
      thereafter: z
        .int()
        .min(0)
        .default(100)
        .describe('Of those that follow, every one of this number is written; 0 for none.'),
    })
    .nullish()
    .describe(
      'Leaves out lines that repeat the same text at the same level. Off unless this section is given; the Collector has it on.',
    ),
  processors: unsupported('logs go to stderr; collect them from there'),
})

const nameFilter = z.strictObject({
  included: z.array(text()).prefault([]).describe('Attribute names to add as labels.'),
  excluded: z.array(text()).prefault([]).describe('Attribute names to leave out.'),
})

const prometheusReader = section({
  host: text().prefault('localhost').describe('Address to listen on.'),
  port: z.int().min(0).max(65_535).prefault(8888).describe('Port to listen on.'),
  without_scope_info: ineffective(z.boolean(), 'own metrics carry no scope labels'),
  without_units: ineffective(z.boolean(), 'names are those of the Collector'),
  without_type_suffix: ineffective(z.boolean(), 'names are those of the Collector'),
  with_resource_constant_labels: ineffective(
    nameFilter,
    'resource attributes are on target_info alone',
  ),
})

const reader = z.strictObject({
  pull: section({
    exporter: section({
      prometheus: prometheusReader.describe('A page for Prometheus to scrape.'),
    }).describe('What serves the metrics.'),
  })
    .optional()
    .describe('Serves own metrics to whoever asks.'),
  periodic: unsupported('scrape the Prometheus page instead'),
})

const metrics = section({
  level: level(metricLevels)
    .prefault('normal')
    .describe('How much own metrics tell; none turns them off.'),
  readers: z
    .array(reader)
    .optional()
    .describe('Where own metrics are read; one pull reader on localhost:8888 unless given.'),
  address: listenEndpoint().optional().describe('The older form of one pull reader: host:port.'),
  views: unsupported('own metrics are exposed as they are'),
})

const traces = section({
  level: z
    .literal('none', { error: 'must be none; own traces are not supported yet' })
    .optional()
    .describe('Own traces: only none is supported.'),
  processors: z
    .array(z.unknown())
    .max(0, 'are not supported yet: Penstock emits no traces of its own')
    .optional()
    .describe('Own traces: only an empty list is supported.'),
  propagators: ineffective(z.array(text()), 'Penstock emits no traces of its own'),
  sampler: unsupported('Penstock emits no traces of its own'),
  limits: unsupported('Penstock emits no traces of its own'),
})

const attributeValue = z.union([z.string(), z.number(), z.boolean(), z.null()])

const resource = z
  .union([
    z.strictObject({
      attributes: z
        .array(
          z.strictObject({
            name: text().describe('Name of the attribute.'),
            value: attributeValue.describe('Its value; null removes it.'),
            type: ineffective(text(), 'values are shown as text'),
          }),
        )
        .describe('The newer form: a list of names and values.'),
      schema_url: ineffective(text(), 'target_info has no schema'),
      'detection/development': unsupported('name the attributes themselves'),
    }),
    z.record(z.string(), attributeValue),
  ])
  .nullish()
  .describe('Attributes of the gateway itself, for target_info; null removes one.')

const telemetrySchema = section({
  logs: logs.describe("The gateway's own logs."),
  metrics: metrics.describe("The gateway's own metrics."),
  traces: traces.describe("The gateway's own traces."),
  resource,
})

export const serviceSchema = section({
  extensions: idList().describe('Extensions to run, in starting order.'),
  pipelines: z
    .preprocess((value) => value ?? {}, z.record(z.string(), pipelineSchema))
    .prefault({})
    .describe('Pipelines by id: traces, metrics or logs, or with a name such as traces/eu.'),
  telemetry: telemetrySchema.describe('What the gateway tells of itself.'),
  shutdown_timeout: duration()
    .prefault('30s')
    .describe('How long stopping may take before what is left is given up.'),
})

export type ServiceSettings = z.output<typeof serviceSchema>

/** The parsed settings in the form that the service runs on. */
export function telemetryOf({ telemetry }: ServiceSettings): CheckedTelemetry {
  const { logs, metrics, resource } = telemetry
  return {
    logs: {
      level: pinoLevelOf(logs.level),
      encoding: logs.encoding,
      initialFields: logs.initial_fields,
      ...samplingOf(logs.sampling),
    },
    metrics: { level: metrics.level, pullEndpoints: pullEndpoints(metrics) },
    resource: resourceOf(resource),
  }
}

/** Settings of own telemetry that a schema alone cannot judge, by path under `service`. */
export function telemetryProblems({ telemetry }: ServiceSettings) {
  const path = ['telemetry', 'metrics']
  const { level, readers, address } = telemetry.metrics
  if (readers !== undefined && address !== undefined) {
    return [
      {
        path: [...path, 'address'],
        message: 'cannot stand beside readers; add a pull reader instead',
      },
    ]
  }
  if (readers?.length === 0 && level !== 'none') {
    return [
      { path: [...path, 'readers'], message: 'must have at least one entry unless level is none' },
    ]
  }
  return (readers ?? []).flatMap(({ pull }, index) =>
    pull === undefined ? [{ path: [...path, 'readers', index], message: 'must have pull' }] : [],
  )
}

/** The pages of own metrics as listeners, each with the path that says so. */
export function metricsPages(settings: ServiceSettings | undefined) {
  if (settings === undefined) return []
  const { metrics } = settings.telemetry
  const path = ['service', 'telemetry', 'metrics']
  return pullEndpoints(metrics).map((endpoint, index) => {
    const reader = ['readers', index, 'pull', 'exporter', 'prometheus', 'port']
    const at = metrics.address !== undefined ? ['address'] : metrics.readers && reader
    return { path: [...path, ...(at ?? [])], endpoint, transport: 'tcp' as const }
  })
}

function samplingOf(sampling: ServiceSettings['telemetry']['logs']['sampling']) {
  if (!sampling?.enabled) return {}
  const { tick, initial, thereafter } = sampling
  return { sampling: { tickMs: tick, initial, thereafter } }
}

/** Zap's three above error, at which it says nothing but why it dies, are one. */
function pinoLevelOf(level: (typeof logLevels)[number]): CheckedTelemetry['logs']['level'] {
  return level === 'dpanic' || level === 'panic' ? 'fatal' : level
}

function pullEndpoints({ level, readers, address }: ServiceSettings['telemetry']['metrics']) {
  if (level === 'none') return []
  if (address !== undefined) return [address]
  if (readers === undefined) return ['localhost:8888']
  return readers.flatMap(({ pull }) => {
    if (pull === undefined) return []
    const { host, port } = pull.exporter.prometheus
    return [`${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`]
  })
}

type ResourceSettings = ServiceSettings['telemetry']['resource']

function resourceOf(resource: ResourceSettings): CheckedTelemetry['resource'] {
  const values: Record<string, string | null> = {}
  if (resource === undefined || resource === null) return values
  const pairs = Array.isArray(resource['attributes'])
    ? resource['attributes'].map(({ name, value }) => [name, value] as const)
    : Object.entries(resource as Record<string, z.output<typeof attributeValue>>)
  for (const [name, value] of pairs) values[name] = value === null ? null : String(value)
  return values
}
