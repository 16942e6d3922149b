/** Which labels a series has, and where each comes from; the rules of both Prometheus exporters. */
import { metricDataFields } from '../../otlp/fields.ts'
import {
  compareText,
  readTextAttributes,
  type TextAttribute,
  attributesIdentity,
} from './attribute-text.ts'
import { type LabelNaming, labelName } from './label-name.ts'

export interface Label {
  readonly name: string
  readonly value: string
}

export interface LabelRules {
  readonly naming: LabelNaming
  /** Labels every series gets where it has none of that name; sorted. */
  readonly constLabels: readonly Label[]
  /** Whether otel_scope_* labels are added. */
  readonly scopeInfo: boolean
  /** Which resource attributes become labels of every series. */
  readonly promotes: (key: string) => boolean
  /** Keep service.name, service.namespace and service.instance.id on target_info, beside job and instance. */
  readonly keepIdentifying: boolean
}

export interface ResourceLabels {
  /** One text for equal resources, whatever their attribute order. */
  readonly identity: string
  /** `job` and `instance`, as far as the resource has them. */
  readonly target: readonly Label[]
  /** Both as one text. */
  readonly targetKey: string
  readonly promoted: readonly Label[]
  /** Labels of target_info, sorted; undefined where the resource deserves none. */
  readonly info: readonly Label[] | undefined
}

export interface ScopeLabels {
  readonly identity: string
  readonly labels: readonly Label[]
}

/** What labels of the type itself a point attribute may not carry: `le` of histograms, `quantile` of summaries. */
export type ReservedLabel = 'le' | 'quantile' | undefined

export function reservedLabel(dataField: number): ReservedLabel {
  if (dataField === metricDataFields.summary) return 'quantile'
  return dataField === metricDataFields.histogram ||
    dataField === metricDataFields.exponentialHistogram
    ? 'le'
    : undefined
}

const identifying = new Set(['service.name', 'service.namespace', 'service.instance.id'])

/** Field 1 of Resource holds its attributes. */
export function resourceLabels(rules: LabelRules, resource: Uint8Array): ResourceLabels {
  const attributes = readTextAttributes(resource, 1)
  const value = (key: string) => attributes.find((attribute) => attribute.key === key)?.text ?? ''
  const target: Label[] = []
  const name = value('service.name')
  const namespace = value('service.namespace')
  // A namespace without a name says nothing.
  if (name !== '') {
    target.push({ name: 'job', value: namespace === '' ? name : `${namespace}/${name}` })
  }
  const instance = value('service.instance.id')
  if (instance !== '') target.push({ name: 'instance', value: instance })
  return {
    identity: attributesIdentity(attributes),
    target,
    targetKey: target.map((label) => `${label.name}\0${label.value}\0`).join(''),
    promoted: joinLabels(
      rules.naming,
      attributes.filter(({ key }) => rules.promotes(key)),
    ),
    info: infoLabels(rules, attributes, target),
  }
}

function infoLabels(
  rules: LabelRules,
  attributes: readonly TextAttribute[],
  target: readonly Label[],
): readonly Label[] | undefined {
  if (target.length === 0) return undefined
  const described = attributes.filter(({ key }) => !identifying.has(key))
  if (described.length === 0) return undefined
  const kept = rules.keepIdentifying ? attributes : described
  const labels = joinedLabels(rules.naming, kept)
  for (const { name, value } of target) labels.set(name, value)
  addAbsent(labels, rules.constLabels)
  return sortedLabels(labels)
}

/**
 * Field 1 of InstrumentationScope is the name, 2 the version, 3 the attributes. As the Collector does, whatever there is
 * becomes labels, also of a scope without a name.
 */
export function scopeLabels(
  rules: LabelRules,
  scope: { name: string; version: string; schemaUrl: string; attributes: TextAttribute[] },
): ScopeLabels {
  const { name, version, schemaUrl, attributes } = scope
  const fixed = [name, version, schemaUrl].map((text) => `${text.length}:${text}`).join('')
  const identity = `${fixed}${attributesIdentity(attributes)}`
  if (!rules.scopeInfo) return { identity, labels: [] }
  const prefixed = attributes.map((attribute) => ({
    ...attribute,
    key: `otel_scope_${attribute.key}`,
  }))
  const labels = joinedLabels(rules.naming, prefixed)
  // Last, so that a scope attribute called `version` cannot pose as the version.
  labels.set('otel_scope_name', name)
  labels.set('otel_scope_version', version)
  labels.set('otel_scope_schema_url', schemaUrl)
  return { identity, labels: sortedLabels(labels) }
}

export interface SeriesParts {
  readonly point: readonly TextAttribute[]
  readonly resource: ResourceLabels
  readonly scope: ScopeLabels
  readonly reserved: ReservedLabel
}

/** All labels of a series but its name and the type's own, sorted by name. Empty values are left out. */
export function seriesLabels(rules: LabelRules, parts: SeriesParts): Label[] {
  const labels = joinedLabels(rules.naming, parts.point)
  addAbsent(labels, parts.resource.promoted)
  for (const { name, value } of parts.resource.target) labels.set(name, value)
  for (const { name, value } of parts.scope.labels) labels.set(name, value)
  addAbsent(labels, rules.constLabels)
  labels.delete('__name__')
  if (parts.reserved !== undefined) labels.delete(parts.reserved)
  return sortedLabels(labels)
}

/**
 * Keys that become the same label share it: their values joined by `;` in the order of the original keys. An empty
 * value before the first text counts as absent.
 */
export function joinLabels(naming: LabelNaming, attributes: readonly TextAttribute[]): Label[] {
  return sortedLabels(joinedLabels(naming, attributes))
}

function joinedLabels(
  naming: LabelNaming,
  attributes: readonly TextAttribute[],
): Map<string, string> {
  const labels = new Map<string, string>()
  for (const { key, text } of attributes) {
    const name = key === '__name__' ? undefined : labelName(naming, key)
    if (name === undefined) continue
    // Order matters only where keys meet, so that nearly always nothing is sorted.
    if (labels.has(name)) return metLabels(naming, attributes)
    labels.set(name, text)
  }
  return labels
}

function metLabels(naming: LabelNaming, attributes: readonly TextAttribute[]): Map<string, string> {
  const labels = new Map<string, string>()
  const sorted = [...attributes].sort((left, right) => compareText(left.key, right.key))
  for (const { key, text } of sorted) {
    const name = key === '__name__' ? undefined : labelName(naming, key)
    if (name === undefined) continue
    const before = labels.get(name) ?? ''
    labels.set(name, before === '' ? text : `${before};${text}`)
  }
  return labels
}

export function sortedLabels(labels: ReadonlyMap<string, string>): Label[] {
  const sorted: Label[] = []
  for (const [name, value] of labels) if (value !== '') sorted.push({ name, value })
  return sorted.sort((left, right) => compareText(left.name, right.name))
}

function addAbsent(labels: Map<string, string>, more: readonly Label[]): void {
  for (const { name, value } of more) if (!labels.has(name)) labels.set(name, value)
}
