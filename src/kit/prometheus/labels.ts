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
  const labels = labelMap(rules.naming, kept)
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
  const labels = labelMap(rules.naming, prefixed)
  // Last, so that a scope attribute called `version` cannot pose as the version.
  labels.set('otel_scope_name', name)
  labels.set('otel_scope_version', version)
  labels.set('otel_scope_schema_url', schemaUrl)
  return { identity, labels: sortedLabels(labels) }
}

/** A label that each series of a scope gets. */
export interface FixedLabel extends Label {
  /** It stands in place of a label of the point, which else stands in place of it. */
  readonly wins: boolean
}

/** What every series of a scope has, whatever its points say; sorted by name. */
export function fixedLabels(
  rules: LabelRules,
  resource: ResourceLabels,
  scope: ScopeLabels,
): FixedLabel[] {
  const labels = new Map<string, FixedLabel>()
  const add = (more: readonly Label[], wins: boolean) => {
    for (const { name, value } of more) {
      if (!labels.has(name)) labels.set(name, { name, value, wins })
    }
  }
  add(scope.labels, true)
  add(resource.target, true)
  add(resource.promoted, false)
  add(rules.constLabels, false)
  return sortByName([...labels.values()])
}

export interface SeriesParts {
  readonly point: readonly TextAttribute[]
  readonly fixed: readonly FixedLabel[]
  readonly reserved: ReservedLabel
}

/** All labels of a series but its name and the type's own, sorted by name. Empty values are left out. */
export function seriesLabels(
  naming: LabelNaming,
  { point, fixed, reserved }: SeriesParts,
): Label[] {
  const labels: Label[] = []
  const add = (label: Label) => {
    const { name, value } = label
    if (value !== '' && name !== '__name__' && name !== reserved) labels.push(label)
  }
  let at = 0
  for (const label of ownLabels(naming, point)) {
    while (at < fixed.length && compareText(fixed[at].name, label.name) < 0) add(fixed[at++])
    const met = fixed[at]?.name === label.name ? fixed[at++] : undefined
    add(met?.wins === true ? met : label)
  }
  while (at < fixed.length) add(fixed[at++])
  return labels
}

/**
 * Keys that become the same label share it: their values joined by `;` in the order of the original keys. An empty
 * value before the first text counts as absent.
 */
export function joinLabels(naming: LabelNaming, attributes: readonly TextAttribute[]): Label[] {
  return ownLabels(naming, attributes).filter(({ value }) => value !== '')
}

function labelMap(naming: LabelNaming, attributes: readonly TextAttribute[]): Map<string, string> {
  return new Map(ownLabels(naming, attributes).map(({ name, value }) => [name, value]))
}

/** Sorted by name, those with an empty value too. */
function ownLabels(naming: LabelNaming, attributes: readonly TextAttribute[]): Label[] {
  const labels: Label[] = []
  for (const { key, text } of attributes) {
    const name = key === '__name__' ? undefined : labelName(naming, key)
    if (name !== undefined) labels.push({ name, value: text })
  }
  sortByName(labels)
  for (let index = 1; index < labels.length; index++) {
    if (labels[index].name === labels[index - 1].name) return metLabels(naming, attributes)
  }
  return labels
}

/** Where keys meet: in the order of the keys. */
function metLabels(naming: LabelNaming, attributes: readonly TextAttribute[]): Label[] {
  const labels = new Map<string, string>()
  const sorted = [...attributes].sort((left, right) => compareText(left.key, right.key))
  for (const { key, text } of sorted) {
    const name = key === '__name__' ? undefined : labelName(naming, key)
    if (name === undefined) continue
    const before = labels.get(name) ?? ''
    labels.set(name, before === '' ? text : `${before};${text}`)
  }
  return sortByName(Array.from(labels, ([name, value]) => ({ name, value })))
}

export function sortedLabels(labels: ReadonlyMap<string, string>): Label[] {
  const sorted: Label[] = []
  for (const [name, value] of labels) if (value !== '') sorted.push({ name, value })
  return sortByName(sorted)
}

/** In place. Most lists are short, and many sorted as they come. */
function sortByName<Named extends Label>(labels: Named[]): Named[] {
  if (labels.length > insertedMax) {
    return labels.sort((left, right) => compareText(left.name, right.name))
  }
  for (let index = 1; index < labels.length; index++) {
    const label = labels[index]
    let at = index
    for (; at > 0 && compareText(labels[at - 1].name, label.name) > 0; at--) {
      labels[at] = labels[at - 1]
    }
    labels[at] = label
  }
  return labels
}

const insertedMax = 24

function addAbsent(labels: Map<string, string>, more: readonly Label[]): void {
  for (const { name, value } of more) if (!labels.has(name)) labels.set(name, value)
}
