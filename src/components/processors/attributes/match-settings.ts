/** `include` and `exclude` as written: which spans, data points or log records to act on. */
import { z } from 'zod'
import { text } from '../../../config/schema.ts'
import { compilePattern } from '../../../kit/patterns/pattern.ts'
import type { Signal } from '../../../otlp/signal.ts'
import type { ConfigProblem } from '../../../pipeline/component.ts'

/** The fields that only items of one signal have. */
const signalOfField = {
  span_names: 'traces',
  span_kinds: 'traces',
  log_bodies: 'logs',
  log_severity_texts: 'logs',
  log_severity_number: 'logs',
  metric_names: 'metrics',
} as const satisfies Record<string, Signal>

/** By the number of the kind. */
export const spanKinds: readonly string[] = [
  'SPAN_KIND_UNSPECIFIED',
  'SPAN_KIND_INTERNAL',
  'SPAN_KIND_SERVER',
  'SPAN_KIND_CLIENT',
  'SPAN_KIND_PRODUCER',
  'SPAN_KIND_CONSUMER',
]

const severityNames = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((name) => [
  name,
  `${name}2`,
  `${name}3`,
  `${name}4`,
])

const texts = () => z.array(text()).optional()

function attributeMatches() {
  return z
    .array(
      z.strictObject({
        key: text().min(1, 'must not be empty').describe('Name of the attribute.'),
        value: z
          .union([z.string(), z.number(), z.boolean()])
          .nullish()
          .describe('What it must be; without one any value will do.'),
      }),
    )
    .optional()
}

function severity() {
  return z.union([
    z.int().min(1).max(24),
    z
      .string()
      .toUpperCase()
      .pipe(z.enum(severityNames as [string, ...string[]]))
      .transform((name) => severityNames.indexOf(name) + 1),
  ])
}

export function matchSettings() {
  return z
    .strictObject({
      match_type: z
        .enum(['strict', 'regexp'])
        .describe('Whether texts must be equal, or match a regular expression (RE2) somewhere.'),
      regexp: z
        .strictObject({
          cacheenabled: z.boolean().optional().describe('Without effect.'),
          cachemaxnumentries: z.int().optional().describe('Without effect.'),
        })
        .optional()
        .describe('Accepted for compatibility; has no effect.'),
      services: texts().describe("The resource's service.name, any of these."),
      span_names: texts().describe('Traces: the name of the span, any of these.'),
      span_kinds: texts().describe(
        'Traces: the kind of the span, any of these: SPAN_KIND_SERVER ...',
      ),
      log_bodies: texts().describe('Logs: the body where it is text, any of these.'),
      log_severity_texts: texts().describe('Logs: the severity text, any of these.'),
      log_severity_number: z
        .strictObject({
          min: severity().describe('The least severity that matches, as a number or a name.'),
          match_undefined: z
            .boolean()
            .default(false)
            .describe('Whether records without a severity match.'),
        })
        .optional()
        .describe(
          'Logs: the least severity, by number or name, and whether records without one match.',
        ),
      metric_names: texts().describe('Metrics: the name of the metric, any of these.'),
      attributes: attributeMatches().describe(
        "The item's own attributes, all of these; without a value the key is enough.",
      ),
      resources: attributeMatches().describe("The resource's attributes, all of these."),
      libraries: z
        .array(
          z.strictObject({
            name: text().describe('Name of the scope.'),
            version: text().nullish().describe('Its version; without one any version.'),
          }),
        )
        .optional()
        .describe('The instrumentation scope, any of these; without a version any version.'),
    })
    .superRefine(checkMatch)
    .optional()
}

export type MatchSettings = NonNullable<z.output<ReturnType<typeof matchSettings>>>

type Path = readonly (string | number)[]
type Complain = (path: Path, message: string) => void

const textFields = [
  'services',
  'span_names',
  'span_kinds',
  'log_bodies',
  'log_severity_texts',
  'metric_names',
] as const

function checkMatch(settings: MatchFields, context: z.RefinementCtx): void {
  const complain: Complain = (path, message) =>
    context.addIssue({ code: 'custom', path: [...path], message })
  if (conditionFields(settings).length === 0) {
    complain([], 'must say what to match, such as services or attributes')
  }
  if (settings.match_type === 'regexp') {
    checkPatterns(settings, complain)
    return
  }
  for (const [index, kind] of (settings.span_kinds ?? []).entries()) {
    if (spanKinds.includes(kind)) continue
    complain(['span_kinds', index], `must be one of ${spanKinds.join(', ')}`)
  }
}

/** What the checks need of the settings. */
interface MatchFields extends Partial<
  Record<(typeof textFields)[number], readonly string[] | undefined>
> {
  readonly match_type: 'strict' | 'regexp'
  readonly attributes?: readonly { readonly value?: unknown }[] | undefined
  readonly resources?: readonly { readonly value?: unknown }[] | undefined
  readonly libraries?:
    | readonly { readonly name: string; readonly version?: string | null | undefined }[]
    | undefined
}

function checkPatterns(settings: MatchFields, complain: Complain): void {
  const checkPattern = (path: Path, source: string) => {
    try {
      compilePattern(source)
    } catch (error) {
      complain(path, (error as Error).message)
    }
  }
  for (const field of textFields) {
    for (const [index, source] of (settings[field] ?? []).entries()) {
      checkPattern([field, index], source)
    }
  }
  for (const field of ['attributes', 'resources'] as const) {
    for (const [index, { value }] of (settings[field] ?? []).entries()) {
      const path = [field, index, 'value']
      if (typeof value === 'string') checkPattern(path, value)
      else if (value !== undefined && value !== null) {
        complain(path, 'must be text where match_type is regexp')
      }
    }
  }
  for (const [index, { name, version }] of (settings.libraries ?? []).entries()) {
    checkPattern(['libraries', index, 'name'], name)
    if (typeof version === 'string') checkPattern(['libraries', index, 'version'], version)
  }
}

/** The fields that are given and ask for something. */
function conditionFields(settings: MatchFields): string[] {
  return Object.entries(settings)
    .filter(([field]) => field !== 'match_type' && field !== 'regexp')
    .filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value !== undefined))
    .map(([field]) => field)
}

export interface IncludeExclude {
  readonly include?: MatchSettings | undefined
  readonly exclude?: MatchSettings | undefined
}

/** Fields of other signals than the pipelines carry, or of several signals, which no pipeline does. */
export function signalProblems(
  settings: IncludeExclude,
  signals: ReadonlySet<Signal>,
): ConfigProblem[] {
  const fields = signalFields(settings)
  const [first] = fields
  return fields.flatMap(({ path, signal }) => {
    const wrong = [...signals].filter((other) => other !== signal)
    if (wrong.length > 0) {
      const message = `is for ${signal}, and is used in a pipeline of ${wrong.join(' and of ')}`
      return [{ path, message }]
    }
    if (signal === first.signal) return []
    const other = first.path.join('.')
    const message = `is for ${signal} and ${other} for ${first.signal}: no pipeline carries both`
    return [{ path, message }]
  })
}

function signalFields(settings: IncludeExclude) {
  return (['include', 'exclude'] as const).flatMap((part) =>
    conditionFields(settings[part] ?? { match_type: 'strict' })
      .filter((field): field is keyof typeof signalOfField => Object.hasOwn(signalOfField, field))
      .map((field) => ({ path: [part, field], signal: signalOfField[field] })),
  )
}
