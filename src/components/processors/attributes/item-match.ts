import { compilePattern, remembering } from '../../../kit/patterns/pattern.ts'
import {
  type AttributeEditor,
  type AttributeValue,
  readAttributes,
} from '../../../otlp/attributes.ts'
import type { ResourceGroup } from '../../../otlp/batch.ts'
import { resourceFields } from '../../../otlp/fields.ts'
import { LogRecordView } from '../../../otlp/log-view.ts'
import { MetricView } from '../../../otlp/metric-view.ts'
import { ScopeView } from '../../../otlp/resource-view.ts'
import type { MetricRef, ScopeRef } from '../../../otlp/scope-ref.ts'
import { SpanView } from '../../../otlp/span-view.ts'
import { valueText } from '../../../otlp/value-text.ts'
import { type MatchSettings, spanKinds } from './match-settings.ts'

/** Reads attributes by key, wherever they are kept. */
export type AttributeReader = Pick<AttributeEditor, 'get'>

/** The conditions of one `include` or `exclude`, ready to be asked. */
export class ItemMatch {
  readonly #onGroup: ((attributes: AttributeReader) => boolean) | undefined
  readonly #onScope: ((scope: ScopeRef) => boolean) | undefined
  readonly #onMetricName: TextTest | undefined
  readonly #onItem: readonly ((item: Uint8Array) => boolean)[]
  readonly #onAttributes: ((attributes: AttributeReader) => boolean) | undefined
  // The answers for the group and scope that items came from last: items of one come one after the other.
  #group: ResourceGroup | undefined
  #groupMatches = false
  #scope: ScopeRef | undefined
  #scopeMatches = false
  #metric: MetricRef | undefined
  #metricMatches = false

  constructor(settings: MatchSettings) {
    const { match_type: type } = settings
    this.#onGroup = groupTest(settings)
    this.#onScope = scopeTest(settings)
    this.#onMetricName = given(settings.metric_names, (names) => textTest(names, type))
    this.#onItem = [...spanTests(settings), ...logTests(settings)]
    this.#onAttributes = given(settings.attributes, (wanted) => attributesTest(wanted, type))
  }

  get asksForAttributes(): boolean {
    return this.#onAttributes !== undefined
  }

  /** Whether an item meets all conditions but those on its own attributes. */
  matches(item: Uint8Array, scope: ScopeRef, group: ResourceGroup): boolean {
    if (!this.#matchesPlace(scope, group)) return false
    for (const test of this.#onItem) if (!test(item)) return false
    return true
  }

  matchesAttributes(attributes: AttributeReader): boolean {
    return this.#onAttributes === undefined || this.#onAttributes(attributes)
  }

  /** Lets go of the batch that was asked about last. */
  forget(): void {
    this.#group = undefined
    this.#scope = undefined
    this.#metric = undefined
  }

  #matchesPlace(scope: ScopeRef, group: ResourceGroup): boolean {
    if (group !== this.#group) {
      this.#group = group
      this.#groupMatches = this.#onGroup === undefined || this.#onGroup(resourceReader(group))
    }
    if (!this.#groupMatches) return false
    if (scope !== this.#scope) {
      this.#scope = scope
      this.#scopeMatches = this.#onScope === undefined || this.#onScope(scope)
    }
    if (!this.#scopeMatches) return false
    return this.#onMetricName === undefined || this.#matchesMetric(this.#onMetricName, scope)
  }

  #matchesMetric(onName: TextTest, { metric }: ScopeRef): boolean {
    if (metric === undefined) return false
    if (metric !== this.#metric) {
      this.#metric = metric
      this.#metricMatches = onName(new MetricView(metric.message).name)
    }
    return this.#metricMatches
  }
}

type TextTest = (text: string) => boolean
type MatchType = MatchSettings['match_type']
type AttributeMatch = NonNullable<MatchSettings['attributes']>[number]

/** An empty list asks for nothing. */
function given<T, Test>(
  wanted: readonly T[] | undefined,
  compile: (wanted: readonly T[]) => Test,
): Test | undefined {
  return wanted === undefined || wanted.length === 0 ? undefined : compile(wanted)
}

function textTest(wanted: readonly string[], type: MatchType): TextTest {
  if (type === 'strict') {
    const texts = new Set(wanted)
    return (text) => texts.has(text)
  }
  const tests = wanted.map((source) => remembering(compilePattern(source)))
  return (text) => tests.some((test) => test(text))
}

function groupTest(settings: MatchSettings) {
  const { match_type: type } = settings
  const onService = given(settings.services, (names) => textTest(names, type))
  const onAttributes = given(settings.resources, (wanted) => attributesTest(wanted, type))
  if (onService === undefined && onAttributes === undefined) return undefined
  return (attributes: AttributeReader): boolean => {
    const service = attributes.get('service.name')
    if (onService !== undefined && !(typeof service === 'string' && onService(service))) {
      return false
    }
    return onAttributes === undefined || onAttributes(attributes)
  }
}

function resourceReader({ resource }: ResourceGroup): AttributeReader {
  const attributes =
    resource === undefined ? [] : readAttributes(resource, resourceFields.attributes)
  return { get: (key) => attributes.find((attribute) => attribute.key === key)?.value }
}

function scopeTest({ libraries, match_type: type }: MatchSettings) {
  return given(libraries, (wanted) => {
    const tests = wanted.map(({ name, version }) => ({
      onName: textTest([name], type),
      onVersion: version === undefined || version === null ? () => true : textTest([version], type),
    }))
    return ({ scope }: ScopeRef) => {
      const { name, version } = new ScopeView(scope)
      return tests.some(({ onName, onVersion }) => onName(name) && onVersion(version))
    }
  })
}

function spanTests({ span_names, span_kinds, match_type: type }: MatchSettings) {
  const onName = given(span_names, (names) => textTest(names, type))
  const onKind = given(span_kinds, (kinds) => textTest(kinds, type))
  const tests: ((item: Uint8Array) => boolean)[] = []
  if (onName !== undefined) tests.push((item) => onName(new SpanView(item).name))
  if (onKind !== undefined) {
    tests.push((item) => onKind(spanKinds[new SpanView(item).kind] ?? spanKinds[0]))
  }
  return tests
}

function logTests(settings: MatchSettings) {
  const { match_type: type, log_severity_number: severity } = settings
  const onBody = given(settings.log_bodies, (bodies) => bodyTest(bodies, type))
  const onText = given(settings.log_severity_texts, (texts) => textTest(texts, type))
  const tests: ((item: Uint8Array) => boolean)[] = []
  if (severity !== undefined) {
    tests.push((item) => {
      const { severityNumber } = new LogRecordView(item)
      return severityNumber === 0 ? severity.match_undefined : severityNumber >= severity.min
    })
  }
  if (onText !== undefined) tests.push((item) => onText(new LogRecordView(item).severityText))
  if (onBody !== undefined) {
    tests.push((item) => {
      const { body } = new LogRecordView(item)
      return typeof body === 'string' && onBody(body)
    })
  }
  return tests
}

/** Bodies seldom come again: their answers are not worth remembering. */
function bodyTest(wanted: readonly string[], type: MatchType): TextTest {
  if (type === 'strict') return textTest(wanted, type)
  const patterns = wanted.map(compilePattern)
  return (text) => patterns.some((pattern) => pattern.test(text))
}

function attributesTest(wanted: readonly AttributeMatch[], type: MatchType) {
  const tests = wanted.map(({ key, value }) => ({ key, test: valueTest(value, type) }))
  return (attributes: AttributeReader): boolean =>
    tests.every(({ key, test }) => {
      const value = attributes.get(key)
      return value !== undefined && test(value)
    })
}

function valueTest(
  wanted: AttributeMatch['value'],
  type: MatchType,
): (value: AttributeValue) => boolean {
  if (wanted === undefined || wanted === null) return () => true
  if (type === 'regexp') {
    const test = textTest([String(wanted)], type)
    return (value) => isScalar(value) && test(valueText(value))
  }
  if (typeof wanted === 'number' && Number.isSafeInteger(wanted)) {
    const whole = BigInt(wanted)
    return (value) => value === whole || value === wanted
  }
  return (value) => value === wanted
}

function isScalar(value: AttributeValue): boolean {
  return typeof value !== 'object'
}
