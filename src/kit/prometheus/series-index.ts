/**
 * From the bytes of a point to its series. A series' labels are decoded once in its life: later points find it by the
 * raw bytes of resource, scope, metric and attributes. Equal attributes in another order lead to the same series.
 */
import type { Batch, ResourceGroup } from '../../otlp/batch.ts'
import { asRefusal } from '../../otlp/malformed.ts'
import { Refusal } from '../../otlp/refusal.ts'
import type { Host } from '../../pipeline/host.ts'
import { joinBytes } from './join-bytes.ts'
import { readTextAttributes, type TextAttribute } from './attribute-text.ts'
import { ByteIndex } from './byte-index.ts'
import { type LabelRules, resourceLabels, scopeLabels } from './labels.ts'
import { MetricKey } from './metric-key.ts'
import { MetricReader } from './metric-reader.ts'
import type { MetricSource, ResourceSource, ScopeSource } from './metric-source.ts'
import { KeptMemory } from './kept-memory.ts'
import { attributeField, PointReader } from './point-reader.ts'
import { FieldReader } from '../../wire/field-reader.ts'
import { decodeUtf8 } from '../../wire/utf8.ts'
import { tagOf } from './field-tag.ts'
import { fieldText, scopeParts } from './scope-parts.ts'

/** What an exporter does with what is found. A series is an object of its own, or a number that leads to one. */
export interface SeriesSink<Family, Series> {
  /** Whether it is forgotten: the next point makes a new one. */
  isGone(series: Series): boolean
  /** Whether openSeries() has only just made it. */
  isNew(series: Series): boolean
  /** Before the points of a metric: whether they are wanted. The points of an unwanted one are not looked at. */
  openMetric(metric: MetricSource<Family>): boolean
  /** A new series, or the one these attributes lead to; undefined when there is none, and that is counted. */
  openSeries(
    metric: MetricSource<Family>,
    attributes: readonly TextAttribute[],
    point: PointReader,
  ): Series | undefined
  take(series: Series, point: PointReader, metric: MetricSource<Family>): void
  /**
   * Points of a metric that openMetric did not want. With a cause also one of a metric that is wanted, or, without a
   * metric, those of one that had to be left out; then even where there are none.
   */
  drop(
    metric: MetricSource<Family> | undefined,
    pointCount: number,
    cause: IndexDropCause | undefined,
  ): void
  /** Bytes that its series take beyond one number each, such as those of buckets; an estimate. */
  partBytes(): number
  /** After the points of one ResourceMetrics. */
  closeResource?(resource: ResourceSource): void
}

/** Why the index itself leaves points out: its own limits, or bytes that say nothing. */
export type IndexDropCause = 'series_limit' | 'memory_limit' | 'malformed'

interface SeriesIndexOptions {
  readonly rules: LabelRules
  readonly seed: number
  /** Most resources, scopes and metrics each, and raw keys, to remember; of series new ones, up to twice as many. */
  readonly entriesMax: number
  readonly host: Pick<Host, 'memory' | 'log'>
}

export class SeriesIndex<Family, Series> {
  readonly #rules: LabelRules
  readonly #entriesMax: number
  readonly #sink: SeriesSink<Family, Series>
  readonly #memory: KeptMemory
  readonly #resources: ByteIndex<ResourceSource>
  readonly #scopes: ByteIndex<ScopeSource>
  readonly #metrics: ByteIndex<MetricSource<Family>>
  readonly #series: ByteIndex<Series>
  readonly #resourcesByIdentity = new Map<string, ResourceSource>()
  readonly #groupScan = new FieldReader(noBytes)
  readonly #scopeScan = new FieldReader(noBytes)
  readonly #dataScan = new FieldReader(noBytes)
  readonly #metric = new MetricReader()
  readonly #point = new PointReader()
  readonly #metricKey = new MetricKey()
  #scopeCount = 0
  #serial = 1
  #nowMs = 0
  #leftOut: IndexDropCause = 'series_limit'
  #malformedCount = 0
  #malformed: Refusal | undefined

  constructor(options: SeriesIndexOptions, sink: SeriesSink<Family, Series>) {
    this.#rules = options.rules
    this.#entriesMax = options.entriesMax
    this.#sink = sink
    this.#memory = new KeptMemory(options.host)
    this.#resources = new ByteIndex(options.seed)
    this.#scopes = new ByteIndex(options.seed)
    this.#metrics = new ByteIndex(options.seed)
    this.#series = new ByteIndex(options.seed)
  }

  /** Raw keys remembered: at least one a series, more where its attributes come in several orders. */
  get keyCount(): number {
    return this.#series.count
  }

  get sourceCount(): number {
    return this.#resources.count + this.#scopes.count + this.#metrics.count
  }

  /**
   * Hands every point of the batch to the sink. `nowMs` is monotonic. The batch may be that of many senders, so that
   * what is malformed is left out and the rest is taken. Throws a Refusal 'invalid' when all points are malformed: then
   * the sink has taken nothing.
   */
  read(batch: Batch, nowMs: number): void {
    this.#nowMs = nowMs
    this.#malformedCount = 0
    this.#malformed = undefined
    try {
      for (const group of batch.groups) this.#readGroup(group)
    } catch (error) {
      throw asRefusal(error)
    } finally {
      this.#account()
    }
    if (this.#malformed !== undefined && this.#malformedCount === batch.itemCount) {
      throw this.#malformed
    }
  }

  #readGroup({ resource: bytes, rest }: ResourceGroup): void {
    this.#leftOut = 'series_limit'
    const resource = this.#wellFormed(() => this.#resource(bytes ?? noBytes))
    // Instrumentation libraries of before 2022 (field 1000) are read where there are no scopes.
    if (!this.#readScopes(resource, rest, scopeMetricsTag)) {
      this.#readScopes(resource, rest, libraryMetricsTag)
    }
    if (resource !== undefined) this.#sink.closeResource?.(resource)
  }

  /**
   * Looks at some of what is remembered and forgets what was last seen before `beforeMs`; `isGone` decides for series.
   * True when a whole round is done.
   */
  sweep(entryCount: number, beforeMs: number, isGone: (series: Series) => boolean): boolean {
    const isDone = this.#series.sweep(entryCount, isGone)
    const sources = Math.ceil(entryCount / 4)
    this.#metrics.sweep(sources, (metric) => metric.seenMs < beforeMs)
    this.#scopes.sweep(sources, (scope) => {
      if (scope.seenMs >= beforeMs) return false
      if (scope.seenMs !== forgotten) {
        scope.resource.scopes.delete(scope.labels.identity)
        this.#scopeCount--
      }
      scope.seenMs = forgotten
      return true
    })
    this.#resources.sweep(sources, (resource) => {
      if (resource.seenMs >= beforeMs) return false
      if (resource.seenMs !== forgotten) this.#resourcesByIdentity.delete(resource.labels.identity)
      resource.seenMs = forgotten
      return true
    })
    this.#account()
    return isDone
  }

  /** Whether a series may take so many bytes more of those that partBytes() counts; less is always possible. */
  hasRoomFor(moreBytes: number): boolean {
    return moreBytes <= 0 || this.#memory.hasRoomFor(this.#sink.partBytes() + moreBytes)
  }

  /** Nothing is to be read from now on. */
  close(): void {
    this.#memory.release()
  }

  #account(): void {
    const sources = [this.#resources, this.#scopes, this.#metrics]
    this.#memory.set(this.#series, sources, this.#sink.partBytes())
  }

  /** Whether another resource, scope, metric or series may be remembered; where not, says why. */
  #hasRoom(count: number, countMax: number): boolean {
    this.#leftOut = this.#memory.hasRoom() ? 'series_limit' : 'memory_limit'
    return this.#leftOut === 'series_limit' && count < countMax
  }

  #resource(bytes: Uint8Array): ResourceSource | undefined {
    let source = this.#resources.get(root, bytes, 0, bytes.length)
    if (source === undefined || source.seenMs === forgotten) {
      source = this.#openResource(bytes, source !== undefined)
      if (source === undefined) return undefined
    }
    source.seenMs = this.#nowMs
    return source
  }

  /** `hasKey`: the key leads to one that is forgotten. */
  #openResource(bytes: Uint8Array, hasKey: boolean): ResourceSource | undefined {
    const labels = resourceLabels(this.#rules, bytes)
    const known = this.#resourcesByIdentity.get(labels.identity)
    const { size } = this.#resourcesByIdentity
    if (known === undefined && !this.#hasRoom(size, this.#entriesMax)) return undefined
    const source = known ?? { serial: this.#serial++, labels, scopes: new Map(), seenMs: 0 }
    this.#resourcesByIdentity.set(labels.identity, source)
    if (hasKey) this.#resources.replace(source)
    // What has no key at all would never be forgotten; further ones only save time.
    else if (known === undefined || this.#resources.count < this.#entriesMax) {
      this.#resources.add(root, bytes, [0, bytes.length], source)
    }
    return source
  }

  /** Whether there were any fields of that tag. */
  #readScopes(resource: ResourceSource | undefined, rest: Uint8Array, tag: number): boolean {
    const scan = this.#groupScan
    scan.reset(rest, 0, rest.length)
    let isFound = false
    while (scan.next()) {
      if (tagOf(scan) !== tag) continue
      isFound = true
      this.#readMetrics(resource, rest, scan.start, scan.end)
    }
    return isFound
  }

  #readMetrics(
    resource: ResourceSource | undefined,
    rest: Uint8Array,
    start: number,
    end: number,
  ): void {
    const scan = this.#scopeScan
    const { message, schema } = scopeParts(scan, rest, start, end)
    if (resource !== undefined) this.#leftOut = 'series_limit'
    const scope = resource && this.#wellFormed(() => this.#scope(resource, message, schema))
    scan.reset(rest, start, end)
    while (scan.next()) {
      if (tagOf(scan) !== 0x12) continue
      this.#metric.read(rest, scan.start, scan.end)
      this.#readPoints(scope)
    }
  }

  #scope(
    resource: ResourceSource,
    message: Uint8Array,
    schema: Uint8Array,
  ): ScopeSource | undefined {
    let key = message
    if (schema.length > 0) {
      // No message begins with a zero byte, so the two kinds of key differ.
      key = joinBytes([zeroByte, schema, zeroByte, message])
    }
    let scope = this.#scopes.get(resource, key, 0, key.length)
    if (scope === undefined || scope.seenMs === forgotten) {
      const name = fieldText(message, 0x0a)
      const labels = scopeLabels(this.#rules, {
        name,
        version: fieldText(message, 0x12),
        schemaUrl: decodeUtf8(schema),
        attributes: readTextAttributes(message, 3),
      })
      scope = this.#openScope(resource, { name, labels }, scope === undefined ? key : undefined)
      if (scope === undefined) return undefined
    }
    scope.seenMs = this.#nowMs
    return scope
  }

  /** Without a key, the last one looked for leads to one that is forgotten. */
  #openScope(
    resource: ResourceSource,
    { name, labels }: Pick<ScopeSource, 'name' | 'labels'>,
    key: Uint8Array | undefined,
  ): ScopeSource | undefined {
    const known = resource.scopes.get(labels.identity)
    if (known === undefined) {
      if (!this.#hasRoom(this.#scopeCount, this.#entriesMax)) return undefined
      this.#scopeCount++
    }
    const scope = known ?? { serial: this.#serial++, resource, name, labels, seenMs: 0 }
    resource.scopes.set(labels.identity, scope)
    if (key === undefined) this.#scopes.replace(scope)
    else if (known === undefined || this.#scopes.count < this.#entriesMax) {
      this.#scopes.add(resource, key, [0, key.length], scope)
    }
    return scope
  }

  #readPoints(scope: ScopeSource | undefined): void {
    const reader = this.#metric
    const { data, dataStart, dataEnd, dataField } = reader
    if (scope !== undefined) this.#leftOut = 'series_limit'
    const metric = scope && this.#wellFormed(() => this.#metricSource(scope))
    const scan = this.#dataScan
    scan.reset(data, dataStart, dataEnd)
    if (metric === undefined || !this.#sink.openMetric(metric)) {
      let pointCount = 0
      while (scan.next()) if (tagOf(scan) === 0x0a) pointCount++
      const cause = metric === undefined ? this.#leftOut : undefined
      if (cause === 'malformed') this.#malformedCount += pointCount
      if (pointCount > 0 || metric === undefined) this.#sink.drop(metric, pointCount, cause)
      return
    }
    while (scan.next()) {
      if (tagOf(scan) !== 0x0a) continue
      try {
        this.#point.read(dataField, data, scan.start, scan.end)
        this.#readPoint(metric)
      } catch (error) {
        this.#noteMalformed(error)
        this.#malformedCount++
        this.#sink.drop(metric, 1, 'malformed')
      }
    }
  }

  #readPoint(metric: MetricSource<Family>): void {
    const point = this.#point
    const { keyBytes, keyStart, keyEnd } = point
    let series = this.#series.get(metric, keyBytes, keyStart, keyEnd)
    if (series === undefined || this.#sink.isGone(series)) series = this.#openSeries(metric, series)
    if (series !== undefined) this.#sink.take(series, point, metric)
  }

  /** What is read, or undefined when it is malformed. */
  #wellFormed<Source>(read: () => Source | undefined): Source | undefined {
    try {
      return read()
    } catch (error) {
      this.#noteMalformed(error)
      this.#leftOut = 'malformed'
      return undefined
    }
  }

  /** Throws what is no complaint about bytes. */
  #noteMalformed(error: unknown): void {
    const refusal = asRefusal(error)
    if (!(refusal instanceof Refusal) || refusal.code !== 'invalid') throw refusal
    this.#malformed ??= refusal
  }

  #openSeries(metric: MetricSource<Family>, gone: Series | undefined): Series | undefined {
    // Those that are gone wait to be swept; what has no key would never be.
    if (gone === undefined && !this.#hasRoom(this.#series.count, this.#entriesMax * 2)) {
      this.#sink.drop(metric, 1, this.#leftOut)
      return undefined
    }
    const { keyBytes, keyStart, keyEnd } = this.#point
    const key = keyBytes.subarray(keyStart, keyEnd)
    const attributes = readTextAttributes(key, attributeField(metric.dataField))
    const series = this.#sink.openSeries(metric, attributes, this.#point)
    if (series === undefined) return undefined
    if (gone !== undefined) this.#series.replace(series)
    // Without a key for this order of its attributes a series is still found, only slowly.
    else if (this.#sink.isNew(series) || this.#series.count < this.#entriesMax) {
      this.#series.add(metric, keyBytes, [keyStart, keyEnd], series)
    }
    return series
  }

  #metricSource(scope: ScopeSource): MetricSource<Family> | undefined {
    const key = this.#metricKey
    key.set(this.#metric)
    let metric = this.#metrics.get(scope, key.bytes, 0, key.length)
    if (metric === undefined) {
      if (!this.#hasRoom(this.#metrics.count, this.#entriesMax)) return undefined
      const reader = this.#metric
      const { bytes } = reader
      metric = {
        serial: this.#serial++,
        scope,
        name: decodeUtf8(bytes, reader.nameStart, reader.nameEnd),
        unit: decodeUtf8(bytes, reader.unitStart, reader.unitEnd),
        help: decodeUtf8(bytes, reader.helpStart, reader.helpEnd),
        dataField: reader.dataField,
        temporality: reader.temporality,
        isMonotonic: reader.isMonotonic,
        originalType: reader.originalType(),
        seenMs: 0,
        family: undefined,
      }
      this.#metrics.add(scope, key.bytes, [0, key.length], metric)
    }
    metric.seenMs = this.#nowMs
    return metric
  }
}

/** In place of when it was last seen: other raw keys may still lead to it. */
const forgotten = -Infinity
const noBytes = new Uint8Array(0)
const zeroByte = new Uint8Array(1)
const root = { serial: 0 }
const scopeMetricsTag = 0x12
const libraryMetricsTag = (1000 << 3) | 2
