import { createIntakes, type Intake } from '../../src/kit/ingest/intake.ts'
import { Refusal } from '../../src/otlp/refusal.ts'
import { type Signal, signalNames } from '../../src/otlp/signal.ts'
import type { Receiver } from '../../src/pipeline/component.ts'
import type { MemoryLedger, ReceiverHost } from '../../src/pipeline/host.ts'
import type { Clock } from '../../src/platform/platform.ts'
import type { SimRequest } from './sent-items.ts'

/** What a client is told of a request; undefined is success, and `closed` no answer at all. */
type Told = Refusal | 'closed' | undefined

/** What became of requests and items, as the clients saw it. */
export interface Tally {
  taken: number
  refused: number
  malformed: number
  takenItems: number
  /** Of requests that were read. */
  refusedItems: number
}

/** The receiver of a simulation: the real way in, with calls where there would be sockets. */
export class SimSource implements Receiver {
  readonly memory: MemoryLedger
  readonly tally: Tally = { taken: 0, refused: 0, malformed: 0, takenItems: 0, refusedItems: 0 }
  readonly #intakes: ReadonlyMap<Signal, Intake>
  readonly #underWay = new Set<Promise<Told>>()
  readonly #cut = Promise.withResolvers<'cut'>()
  #isOpen = true

  constructor(host: ReceiverHost) {
    this.memory = host.memory
    this.#intakes = createIntakes(host, 'sim', signalNames)
  }

  /** Offers a request whose body takes `bodyMs` to come. */
  offer(request: SimRequest, bodyMs: number, clock: Clock): Promise<Told> {
    const told = this.#offer(request, bodyMs, clock)
    this.#underWay.add(told)
    return told.finally(() => this.#underWay.delete(told))
  }

  /** Lets bodies come to their end until the deadline, and cuts them off then. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isOpen = false
    if (deadline.aborted) this.#cut.resolve('cut')
    deadline.addEventListener('abort', () => this.#cut.resolve('cut'), { once: true })
    await Promise.race([Promise.all(this.#underWay), this.#cut.promise])
  }

  async #offer(request: SimRequest, bodyMs: number, clock: Clock): Promise<Told> {
    if (!this.#isOpen) return 'closed'
    const intake = this.#intakes.get(request.signal)!
    const { length } = request.bytes
    const atTheDoor = intake.admit(length)
    if (atTheDoor !== undefined) {
      this.tally.refused++
      return atTheDoor
    }
    intake.hold(length)
    try {
      if (bodyMs > 0) {
        const whole = new Promise<void>((done) => void clock.after(bodyMs, done))
        if ((await Promise.race([whole, this.#cut.promise])) === 'cut') return 'closed'
      }
      const { tenant } = request
      const client = {
        address: '10.0.0.1',
        metadata: new Map([['tenant', [tenant]]]),
        auth: new Map<string, string>(),
      }
      await intake.take(request.bytes, 'proto', client)
      this.tally.taken++
      this.tally.takenItems += request.ids.length
      return undefined
    } catch (error) {
      const refusal = intake.refusalOf(error)
      if (request.ids.length === 0) this.tally.malformed++
      else {
        this.tally.refused++
        this.tally.refusedItems += request.ids.length
      }
      return refusal
    } finally {
      intake.release(length)
    }
  }
}
