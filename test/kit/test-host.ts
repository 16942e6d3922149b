import type { Batch } from '../../src/otlp/batch.ts'
import { Refusal } from '../../src/otlp/refusal.ts'
import { type Signal, signalNames } from '../../src/otlp/signal.ts'
import type { Consumer } from '../../src/pipeline/consumer.ts'
import type {
  ConnectorHost,
  ExporterHost,
  Host,
  Logger,
  MemoryLedger,
  ProcessorHost,
  ReceiverHost,
} from '../../src/pipeline/host.ts'
import type { Labels, Meter } from '../../src/pipeline/meter.ts'
import type { Disk, Env } from '../../src/platform/platform.ts'
import { nodeDisk } from '../../src/platform/node/node-platform.ts'
import { ManualClock } from './manual-clock.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string
}

/** A host that records all that a component does to it. */
export interface TestHost extends Host, ReceiverHost, ProcessorHost, ExporterHost {
  readonly clock: ManualClock
  readonly lines: LogLine[]
  readonly meter: TestMeter
  readonly memory: TestMemory
  readonly drops: { signal: Signal; itemCount: number; cause: string }[]
  readonly fatalErrors: Error[]
  readonly sink: SinkConsumer
}

export class TestMemory implements MemoryLedger {
  heldBytes = 0
  peakBytes = 0
  rssBytes = 0
  baseBytes = 0
  availableBytes = 8 * 1024 ** 3
  keptBytes = 0
  keptBytesMax = Infinity

  hold(byteLength: number): void {
    this.heldBytes += byteLength
    this.peakBytes = Math.max(this.peakBytes, this.heldBytes)
  }

  release(byteLength: number): void {
    this.heldBytes -= byteLength
    if (this.heldBytes < 0) throw new Error('more memory released than held')
  }

  keep(change: number): void {
    this.keptBytes += change
    if (this.keptBytes < 0) throw new Error('more memory given back than kept')
  }

  limitKept(_owner: object, byteLength: number | undefined): void {
    this.keptBytesMax = byteLength ?? Infinity
  }
}

/** Instruments by `name{label="value"}`, labels in the order given. */
export class TestMeter implements Meter {
  readonly #values = new Map<string, number>()
  readonly #readers = new Map<string, () => number>()
  readonly records = new Map<string, number[]>()
  /** Every instrument that was asked for, by name and labels. */
  readonly asked: { name: string; labels: Labels }[] = []

  /** Value of a counter, gauge or observed gauge; undefined when nobody asked for one. */
  value(name: string, labels: Labels = {}): number | undefined {
    const key = seriesKey(name, labels)
    return this.#readers.get(key)?.() ?? this.#values.get(key)
  }

  counter(name: string, _help: string, labels: Labels = {}) {
    this.asked.push({ name, labels })
    const key = seriesKey(name, labels)
    this.#values.set(key, this.#values.get(key) ?? 0)
    return { add: (count: number) => void this.#values.set(key, this.#values.get(key)! + count) }
  }

  gauge(name: string, _help: string, labels: Labels = {}) {
    this.asked.push({ name, labels })
    const key = seriesKey(name, labels)
    return { set: (value: number) => void this.#values.set(key, value) }
  }

  observe(name: string, _help: string, labels: Labels, read: () => number): void {
    this.asked.push({ name, labels })
    this.#readers.set(seriesKey(name, labels), read)
  }

  histogram(name: string, _help: string, _bounds: readonly number[], labels: Labels = {}) {
    this.asked.push({ name, labels })
    const key = seriesKey(name, labels)
    const records = this.records.get(key) ?? []
    this.records.set(key, records)
    return { record: (value: number) => void records.push(value) }
  }
}

/** Takes every batch, or answers what `respond` says. */
export class SinkConsumer implements Consumer {
  readonly batches: Batch[] = []
  respond: (batch: Batch) => void | Promise<void> = () => {}
  refuseAtDoor: Refusal | undefined

  consume(batch: Batch): void | Promise<void> {
    const answer = this.respond(batch)
    if (answer === undefined) {
      this.batches.push(batch)
      return
    }
    return answer.then(() => void this.batches.push(batch))
  }

  admit(): Refusal | undefined {
    return this.refuseAtDoor
  }

  get itemCount(): number {
    return this.batches.reduce((sum, batch) => sum + batch.itemCount, 0)
  }
}

interface TestHostOptions {
  readonly id?: string
  readonly signal?: Signal
  readonly signals?: readonly Signal[]
  readonly disk?: Disk
  readonly env?: Env
  readonly extensions?: Readonly<Record<string, unknown>>
  readonly clock?: ManualClock
}

export function testHost(options: TestHostOptions = {}): TestHost {
  const lines: LogLine[] = []
  const sink = new SinkConsumer()
  const drops: TestHost['drops'] = []
  const fatalErrors: Error[] = []
  const wanted = new Set(options.signals ?? signalNames)
  let seed = 1
  return {
    id: options.id ?? 'test',
    signal: options.signal ?? 'traces',
    signals: wanted,
    pipeline: options.signal ?? 'traces',
    clock: options.clock ?? new ManualClock(),
    random: {
      next: () => (seed = (seed * 16807) % 2147483647) / 2147483647,
      bytes: (length) => new Uint8Array(length).map((_, index) => index + 1),
    },
    disk: options.disk ?? nodeDisk,
    env: options.env ?? {},
    log: recorder(lines),
    meter: new TestMeter(),
    memory: new TestMemory(),
    status: { isReady: true, reason: '', readySinceMs: 0 },
    version: '0.0.0',
    extension: (id) => options.extensions?.[id],
    dropped: (signal, itemCount, cause) => void drops.push({ signal, itemCount, cause }),
    fatal: (error) => void fatalErrors.push(error),
    consumer: (signal) => (wanted.has(signal) ? sink : undefined),
    next: sink,
    lines,
    drops,
    fatalErrors,
    sink,
  }
}

/** The same for a connector, whose next depends on the signal. */
export function testConnectorHost(options: TestHostOptions = {}): ConnectorHost & {
  sink: SinkConsumer
} {
  const host = testHost(options)
  return { ...host, next: (signal) => (host.signals.has(signal) ? host.sink : undefined) }
}

/** A refusal that the sender may retry, for `respond`. */
export function refuseForNow(): never {
  throw new Refusal('unavailable', 'try later')
}

/** A refusal for good. */
export function refuseForGood(): never {
  throw new Refusal('invalid', 'never')
}

function recorder(lines: LogLine[]): Logger {
  const at = (level: LogLine['level']) => (fields: object, message: string) =>
    void lines.push({ level, fields, message })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function seriesKey(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}
