/** What the clients of a simulation send, item by item, and what they make of what arrives. */
import type { Batch } from '../../src/otlp/batch.ts'
import { encodeBatch } from '../../src/otlp/encode-batch.ts'
import { type Signal, signalNames } from '../../src/otlp/signal.ts'
import { itemRows, type Row, rowsOf } from '../kit/batch-rows.ts'
import { encodeRequest, type Plain, type PlainMessage } from '../kit/oracle.ts'
import type { SeededRandom } from './seeded-random.ts'

export interface SimRequest {
  readonly signal: Signal
  readonly bytes: Uint8Array
  readonly ids: readonly string[]
  readonly tenant: string
}

interface SentItem {
  readonly signal: Signal
  readonly tenant: string
  /** The item with its resource and scope, as text. */
  readonly content: string
}

/** Attributes that the processors of a simulated gateway add; all else must arrive as it was sent. */
export const addedAttributes = ['gateway', 'seen'] as const

export class SentItems {
  readonly #items = new Map<string, SentItem>()
  readonly #random: SeededRandom
  readonly #padding: string

  /** The first item under each scope is larger by `paddingBytes`. */
  constructor(random: SeededRandom, paddingBytes: number) {
    this.#random = random
    this.#padding = 'x'.repeat(paddingBytes)
  }

  /** A request of new items, each with an id of its own. */
  make(itemCount: number, signal = this.#random.pick(signalNames)): SimRequest {
    const random = this.#random
    const tenant = random.pick(['red', 'green', 'blue'])
    const ids = Array.from({ length: itemCount }, (_, index) => `${this.#items.size + index}`)
    const bytes = encodeRequest(signal, this.#message(signal, ids))
    for (const row of itemRows(rowsOf(signal, bytes))) {
      this.#items.set(idOf(row), { signal, tenant, content: contentOf(row) })
    }
    return { signal, bytes, ids, tenant }
  }

  /** The ids of the items in a batch; tells `wrong` of each that is not as it was sent. */
  read(batch: Batch, wrong: (finding: string) => void): string[] {
    const rows = itemRows(rowsOf(batch.signal, encodeBatch(batch)))
    if (rows.length !== batch.itemCount) {
      wrong(`a batch says that it has ${batch.itemCount} items and has ${rows.length}`)
    }
    const [tenant] = batch.client?.metadata.get('tenant') ?? []
    return rows.map((row) => {
      const id = idOf(row)
      const sent = this.#items.get(id)
      if (sent === undefined) wrong(`item ${id} arrived and was never sent`)
      else if (sent.signal !== batch.signal) wrong(`item ${id} arrived as ${batch.signal}`)
      else if (sent.content !== contentOf(row)) wrong(`item ${id} arrived changed`)
      else if (tenant !== undefined && sent.tenant !== tenant) {
        wrong(`item ${id} of ${sent.tenant} arrived under the metadata of ${tenant}`)
      }
      return id
    })
  }

  #message(signal: Signal, ids: readonly string[]): PlainMessage {
    const random = this.#random
    const left = [...ids]
    const groups: PlainMessage[] = []
    while (left.length > 0) {
      const scopes: PlainMessage[] = []
      for (let scope = 0; scope < 2 && left.length > 0; scope++) {
        const own = left.splice(0, random.whole(1, left.length))
        scopes.push({ scope: { name: `scope ${scope}` }, ...this.#members(signal, own) })
      }
      const name = attribute('service.name', random.pick(['shop', 'cart', 'pay']))
      groups.push({ resource: { attributes: [name] }, [`scope${suffix[signal]}`]: scopes })
    }
    return { [`resource${suffix[signal]}`]: groups }
  }

  #members(signal: Signal, ids: readonly string[]): PlainMessage {
    const items = ids.map((id, index) => {
      const padding = index === 0 ? [attribute('padding', this.#padding)] : []
      return { attributes: [...padding, attribute('id', id)] }
    })
    if (signal === 'traces') {
      return { spans: items.map((item, index) => ({ name: `span ${index}`, ...item })) }
    }
    if (signal === 'logs') {
      return { logRecords: items.map((item) => ({ body: { stringValue: 'said' }, ...item })) }
    }
    const dataPoints = items.map((item, index) => ({ asDouble: index + 0.5, ...item }))
    return { metrics: [{ name: 'load', gauge: { dataPoints } }] }
  }
}

const suffix = { traces: 'Spans', metrics: 'Metrics', logs: 'Logs' } as const

function attribute(key: string, value: string): PlainMessage {
  return { key, value: { stringValue: value } }
}

function idOf({ item }: Row): string {
  const found = attributesOf(item).find(({ key }) => key === 'id')
  return (found?.value as { stringValue?: string } | undefined)?.stringValue ?? 'without an id'
}

function contentOf({ group, scope, metric, item }: Row): string {
  const resource = bare(group.resource as PlainMessage)
  return JSON.stringify([{ ...group, resource }, scope, metric, bare(item!)])
}

function bare(message: PlainMessage): PlainMessage {
  const own = attributesOf(message).filter(
    ({ key }) => !addedAttributes.some((added) => added === key),
  )
  return { ...message, attributes: own }
}

function attributesOf(message: PlainMessage | undefined): readonly PlainMessage[] {
  return (message?.attributes ?? []) as readonly (PlainMessage & Plain)[]
}
