import type { ActionSettings } from '../../../kit/actions/action-settings.ts'
import { type AttributeActions, compileActions } from '../../../kit/actions/attribute-actions.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { ByteMap } from '../../../otlp/byte-map.ts'
import type { ClientInfo } from '../../../otlp/client-info.ts'
import { editResource } from '../../../otlp/entity-refs.ts'
import { mapResources } from '../../../otlp/splice.ts'
import type { MetricDeclaration, Processor } from '../../../pipeline/component.ts'
import type { ProcessorHost } from '../../../pipeline/host.ts'
import type { Counter } from '../../../pipeline/meter.ts'

const cacheLimits = { entryCountMax: 8192, keyBytesMax: 4 * 1024 ** 2 }

/** Stands in the cache for resources that come out as they went in. */
const unchanged = new Uint8Array(0)
const noResource = new Uint8Array(0)

/**
 * Edits the attributes of resources. A fleet sends the same few resources over and over, so what became of one is
 * remembered under its bytes and costs a look-up the next time; not so where the outcome depends on the client.
 */
export class ResourceProcessor implements Processor {
  readonly #host: ProcessorHost
  readonly #actions: AttributeActions
  readonly #cache: ByteMap<Uint8Array> | undefined
  readonly #misses: Counter
  readonly #evictions: Counter
  #evictionCount = 0

  constructor(settings: { readonly attributes: readonly ActionSettings[] }, host: ProcessorHost) {
    this.#host = host
    this.#actions = compileActions(settings.attributes)
    if (!this.#actions.dependsOnClient) this.#cache = new ByteMap(cacheLimits)
    const labels = { processor: host.id }
    this.#misses = host.meter.counter(missesMetric.name, missesMetric.help, labels)
    this.#evictions = host.meter.counter(evictionsMetric.name, evictionsMetric.help, labels)
  }

  consume(batch: Batch): void | Promise<void> {
    return this.#host.next.consume(
      mapResources(batch, (resource) => this.#edit(resource, batch.client)),
    )
  }

  #edit(resource: Uint8Array | undefined, client: ClientInfo | undefined): Uint8Array | undefined {
    const cache = this.#cache
    if (cache === undefined) {
      const edited = this.#compute(resource, client)
      return edited === unchanged ? resource : edited
    }
    const key = resource ?? noResource
    let edited = cache.get(key)
    if (edited === undefined) {
      edited = this.#compute(resource, undefined)
      cache.set(key, edited)
      this.#misses.add(1)
      this.#evictions.add(cache.evictionCount - this.#evictionCount)
      this.#evictionCount = cache.evictionCount
    }
    return edited === unchanged ? resource : edited
  }

  #compute(resource: Uint8Array | undefined, client: ClientInfo | undefined): Uint8Array {
    const before = resource ?? noResource
    const after = editResource(before, (attributes) => this.#actions.apply(attributes, client))
    return after === before ? unchanged : after
  }
}

const missesMetric = {
  name: 'penstock_processor_resource_cache_misses',
  kind: 'counter',
  help: 'Resources that were edited anew since their bytes had not been seen lately.',
  labels: ['processor'],
} as const

const evictionsMetric = {
  name: 'penstock_processor_resource_cache_evictions',
  kind: 'counter',
  help: 'Edited resources that were forgotten to make room for others.',
  labels: ['processor'],
} as const

export const resourceMetrics: readonly MetricDeclaration[] = [missesMetric, evictionsMetric]
