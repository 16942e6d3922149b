/**
 * A whole gateway on simulated time, from one seed: its configuration, its clients and peers, what they do to it and
 * when. Everything between a request's bytes and the bytes to send is the real thing; only sockets are calls.
 */
import { catalog } from '../../src/components/catalog.ts'
import { section } from '../../src/config/schema.ts'
import { renderComplaints } from '../../src/config/complaint.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { type Signal, signalNames } from '../../src/otlp/signal.ts'
import { type Catalog, defineReceiver } from '../../src/pipeline/component.ts'
import { checkConfig } from '../../src/service/check-config.ts'
import type { CheckedConfig } from '../../src/service/checked-config.ts'
import { Service } from '../../src/service/service.ts'
import { ManualClock } from '../kit/manual-clock.ts'
import { readOnlyDisk } from '../kit/memory-disk.ts'
import { findings, OwnCounters } from './findings.ts'
import { routesFrom } from './routes.ts'
import { drawScenario, type Scenario } from './scenario.ts'
import { SeededRandom } from './seeded-random.ts'
import { SentItems, type SimRequest } from './sent-items.ts'
import { SimClock } from './sim-clock.ts'
import { SimPeer } from './sim-peer.ts'
import { type SimSink, simSink } from './sim-sink.ts'
import { SimSource } from './sim-source.ts'

const mebibyte = 1024 ** 2
/** What the process needs for itself. */
const baseBytes = 0.8 * mebibyte
/** What is held is sent as a copy. */
const bytesPerHeld = 2

/** Ample for every pause and backoff that a scenario can have. */
const fairMsMax = 300_000

/** Runs one seed to its end. Rejects with all that was found wrong, and how to see it again. */
export async function simulate(seed: number): Promise<Simulation> {
  const simulation = new Simulation(seed)
  try {
    await simulation.run()
  } catch (error) {
    simulation.wrong(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  if (simulation.found.length > 0) throw new Error(simulation.report)
  return simulation
}

export class Simulation {
  readonly seed: number
  readonly found: string[] = []
  readonly scenario: Scenario
  readonly config: CheckedConfig
  readonly service: Service
  readonly clock = new ManualClock(undefined, { rounds: 1 })
  readonly sinks: SimSink[] = []
  /** Ids of the items whose request was answered with success. */
  readonly acknowledged = new Map<string, SimRequest>()
  source!: SimSource
  /** The gateway's own, at the end. */
  counters!: OwnCounters
  requestBytesMax = 0
  malformedCount = 0
  heldBytesPeak = 0
  readonly #random: SeededRandom
  readonly #items: SentItems
  readonly #gatewayClock: SimClock
  readonly #peers = new Map<string, SimPeer>()
  #spikeBytes = 0
  #clientsBusy = 0
  readonly #wayCountMax: number
  #budgetBytes = 0
  #isStorming = true

  constructor(seed: number) {
    this.seed = seed
    this.#random = new SeededRandom(seed)
    this.scenario = drawScenario(this.#random.fork())
    const { latenessMsMax, paddingBytes, yaml } = this.scenario
    this.#items = new SentItems(this.#random.fork(), paddingBytes)
    this.#gatewayClock = new SimClock(this.clock, this.#random.fork(), latenessMsMax)
    this.config = this.#checked(yaml)
    this.service = this.#service()
    this.#wayCountMax = Math.max(
      ...signalNames.map((signal) => routesFrom('sim', signal, this.config).length),
    )
  }

  get report(): string {
    const lines = [...new Set(this.found)].slice(0, 20).map((finding) => `  - ${finding}`)
    const again = `SIMULATION_SEED=${this.seed} node --test test/simulation/gateway.test.ts`
    return `seed ${this.seed}: ${this.found.length} findings\n${lines.join('\n')}\nagain: ${again}\n${this.scenario.yaml}`
  }

  wrong(finding: string): void {
    this.found.push(`at ${this.clock.monotonicMs()} ms: ${finding}`)
  }

  async run(): Promise<void> {
    await this.service.start()
    const gauge = /^penstock_processor_memory_limiter_budget_bytes.* (\d+)$/m
    this.#budgetBytes = Number(gauge.exec(await this.service.metrics.page())?.[1])
    const limitBytes = this.scenario.limitMib * mebibyte
    if (!(baseBytes + bytesPerHeld * this.#budgetBytes <= limitBytes)) {
      this.wrong(`a budget of ${this.#budgetBytes} bytes does not fit under ${limitBytes}`)
    }
    const watching = this.clock.every(50, () => this.#watch())
    this.#storm()
    await this.clock.advance(this.scenario.stormMs)
    if (this.scenario.endsFair) await this.#clearUp()
    await this.#stop()
    this.#isStorming = false
    watching.cancel()
    this.counters = new OwnCounters(await this.service.metrics.page())
    this.found.push(...findings(this))
  }

  #checked(yaml: string): CheckedConfig {
    const loaded = loadConfig({ configs: [`yaml:${yaml}`] }, {}, readOnlyDisk({}))
    const { complaints, config } = checkConfig(loaded, this.#catalog())
    if (config === undefined) throw new Error(renderComplaints(complaints))
    // No socket here either: the page is read, not served.
    const metrics = { ...config.telemetry.metrics, pullEndpoints: [] }
    return { ...config, telemetry: { ...config.telemetry, metrics } }
  }

  #catalog(): Catalog {
    const source = defineReceiver({
      type: 'sim',
      summary: 'Takes what simulated clients send.',
      stability: 'development',
      signals: signalNames,
      config: section({}),
      examples: [],
      create: (_, host) => (this.source = new SimSource(host)),
    })
    const sink = simSink(
      (id) => this.#peer(id),
      (opened) => void this.sinks.push(opened),
    )
    return { ...catalog, receivers: [source], exporters: [sink] }
  }

  #peer(id: string): SimPeer {
    const peer = new SimPeer(id, {
      clock: this.clock,
      random: this.#random.fork(),
      items: this.#items,
      wrong: (finding) => this.wrong(finding),
    })
    this.#peers.set(id, peer)
    return peer
  }

  #service(): Service {
    const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
    return new Service(this.config, {
      platform: {
        clock: this.#gatewayClock,
        random: this.#random.fork(),
        disk: readOnlyDisk({}),
        env: {},
        usage: {
          rssBytes: () => this.#residentBytes(),
          cpuSeconds: () => 0,
          heapUsedBytes: () => 0,
          reservedBytes: () => 0,
          availableBytes: () => 64 * mebibyte,
          watchCollections: () => () => {},
        },
      },
      version: '0.0.0',
      onFatal: (error) => this.wrong(`fatal: ${error.message}`),
      logs: { root: silent, for: () => silent },
    })
  }

  #residentBytes(): number {
    // Asked for before there is a source, at the start.
    const source = this.source as SimSource | undefined
    return baseBytes + bytesPerHeld * (source?.memory.heldBytes ?? 0) + this.#spikeBytes
  }

  #storm(): void {
    for (let client = 0; client < 3; client++) this.#keepSending()
    for (const peer of this.#peers.values()) {
      this.#repeatedly(4000, () => peer.changeWeather())
    }
    this.#repeatedly(15_000, () => {
      this.#spikeBytes = 10 * mebibyte
      this.clock.after(this.#random.whole(200, 3000), () => void (this.#spikeBytes = 0))
    })
    this.#repeatedly(15_000, () => {
      this.#gatewayClock.jump(this.#random.pick([-86_400_000, -60_000, 60_000, 86_400_000]))
    })
  }

  /** Calls again and again while the storm lasts, `meanMs` apart on average. */
  #repeatedly(meanMs: number, act: () => void): void {
    this.clock.after(this.#random.whole(1, 2 * meanMs), () => {
      if (!this.#isStorming) return
      act()
      this.#repeatedly(meanMs, act)
    })
  }

  #keepSending(): void {
    const { gapMs, itemCountMax } = this.scenario
    this.#repeatedly(gapMs, () => {
      if (this.#random.chance(0.02)) this.#sendMalformed()
      else {
        this.#clientsBusy++
        const request = this.#items.make(this.#random.whole(1, itemCountMax))
        void this.#send(request, 3).finally(() => this.#clientsBusy--)
      }
    })
  }

  /** As a client with so many attempts in it does: what is refused for now comes again. */
  async #send(request: SimRequest, attemptsLeft: number): Promise<boolean> {
    this.requestBytesMax = Math.max(this.requestBytesMax, request.bytes.length)
    const bodyMs = this.#random.pick([0, 0, 30, 2000])
    const told = await this.source.offer(request, bodyMs, this.clock)
    if (told === undefined) {
      for (const id of request.ids) this.acknowledged.set(id, request)
      return true
    }
    if (told === 'closed' || !told.retryable || attemptsLeft <= 1) return false
    const delayMs = Math.min(told.retryAfterMs ?? 1000, 5000) + this.#random.whole(0, 500)
    await new Promise<void>((done) => void this.clock.after(delayMs, done))
    return this.#send(request, attemptsLeft - 1)
  }

  #sendMalformed(): void {
    const { signal, bytes, tenant } = this.#items.make(2)
    this.malformedCount++
    const request = { signal, bytes: bytes.subarray(0, bytes.length - 1), ids: [], tenant }
    void this.#expectRejected(request)
  }

  async #expectRejected(request: SimRequest): Promise<void> {
    const told = await this.source.offer(request, 0, this.clock)
    if (told === undefined) this.wrong('a request cut short was taken')
  }

  /** Limits hold at every moment, not only at the end. */
  #watch(): void {
    for (const sink of this.sinks) {
      const { enabled, queue_size, num_consumers } = sink.settings.sending_queue
      if (!enabled) continue
      for (const signal of signalNames) {
        const size = sink.queueSize(signal)
        if (size > queue_size) this.wrong(`${sink.peer.id} queued ${size} of ${queue_size}`)
      }
      if (sink.sendingCountPeak > num_consumers) {
        this.wrong(`${sink.peer.id} sent ${sink.sendingCountPeak} at once, not ${num_consumers}`)
      }
    }
    const { heldBytes } = this.source.memory
    this.heldBytesPeak = Math.max(this.heldBytesPeak, heldBytes)
    // All that hold a batch share its bytes, and each counts them: as many as it has ways to go. The quarter is for
    // requests that grew after they were let in.
    const roomBytes = (this.#budgetBytes * 1.25 + this.requestBytesMax) * this.#wayCountMax
    if (heldBytes > roomBytes)
      this.wrong(`held ${heldBytes} bytes where there is room for ${roomBytes}`)
  }

  /** No more faults: all that was promised arrives, and the gateway is as new. */
  async #clearUp(): Promise<void> {
    this.#isStorming = false
    this.#spikeBytes = 0
    for (const peer of this.#peers.values()) peer.clear()
    const isBusy = () =>
      this.#clientsBusy > 0 ||
      this.source.memory.heldBytes > 0 ||
      this.sinks.some(({ heldSize }) => heldSize > 0)
    const untilMs = this.clock.monotonicMs() + fairMsMax
    while (isBusy() && this.clock.monotonicMs() < untilMs) await this.clock.advance(1000)
    if (isBusy()) this.wrong('did not come to rest in fair weather')
    await Promise.all([
      ...signalNames.map((signal) => this.#probe(signal)),
      this.clock.advance(7000),
    ])
  }

  async #probe(signal: Signal): Promise<void> {
    if (!(await this.#send(this.#items.make(1, signal), 1))) {
      this.wrong(`refused ${signal} in fair weather`)
    }
  }

  async #stop(): Promise<void> {
    const { shutdownTimeoutMs } = this.config
    const msMax = shutdownTimeoutMs + this.scenario.latenessMsMax
    const stopping = this.#timedStop()
    const giveUp = this.clock.after(2 * msMax + 10_000, () => {
      throw new Error('the gateway never stopped')
    })
    const took = await this.#advanceUntil(stopping)
    giveUp.cancel()
    if (took > msMax) this.wrong(`stopping took ${took} ms of ${shutdownTimeoutMs} allowed`)
    const { timerCount } = this.#gatewayClock
    if (timerCount > 0) this.wrong(`${timerCount} timers were left behind`)
  }

  /** In milliseconds. */
  async #timedStop(): Promise<number> {
    const startMs = this.clock.monotonicMs()
    await this.service.stop()
    return this.clock.monotonicMs() - startMs
  }

  async #advanceUntil<T>(promise: Promise<T>): Promise<T> {
    const state = { isOver: false }
    const end = () => void (state.isOver = true)
    promise.then(end, end)
    while (!state.isOver) await this.clock.advance(100)
    return promise
  }
}
