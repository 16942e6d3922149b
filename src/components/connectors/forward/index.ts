import assert from 'node:assert/strict'
import { section } from '../../../config/schema.ts'
import type { Batch } from '../../../otlp/batch.ts'
import type { Refusal } from '../../../otlp/refusal.ts'
import { signalNames } from '../../../otlp/signal.ts'
import { type Connector, defineConnector } from '../../../pipeline/component.ts'
import type { Consumer } from '../../../pipeline/consumer.ts'
import type { ConnectorHost } from '../../../pipeline/host.ts'

/** Passes batches from the pipelines that end in it to those that begin with it. */
class Forward implements Connector {
  readonly #host: ConnectorHost
  readonly #door: Consumer | undefined

  constructor(host: ConnectorHost) {
    this.#host = host
    const nexts = signalNames
      .map((signal) => host.next(signal))
      .filter((next) => next !== undefined)
    // The door is not told the signal: with several, one signal's refusal would be held against another. Then each
    // pipeline's own links refuse when they consume.
    this.#door = nexts.length === 1 ? nexts[0] : undefined
  }

  admit(byteLength: number): Refusal | undefined {
    return this.#door?.admit?.(byteLength)
  }

  consume(batch: Batch): void | Promise<void> {
    const next = this.#host.next(batch.signal)
    assert(next !== undefined, `no ${batch.signal} pipeline begins with ${this.#host.id}`)
    return next.consume(batch)
  }
}

export const forward = defineConnector({
  type: 'forward',
  summary: 'Joins or forks pipelines of one signal.',
  stability: 'beta',
  routes: signalNames.map((signal) => [signal, signal] as const),
  config: section({}),
  examples: [{ title: 'It has no settings', yaml: '{}\n' }],
  create: (_, host) => new Forward(host),
})
