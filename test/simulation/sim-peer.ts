import type { Batch } from '../../src/otlp/batch.ts'
import type { PartialSuccess } from '../../src/otlp/responses.ts'
import { Refusal, type RefusalCode } from '../../src/otlp/refusal.ts'
import type { Clock } from '../../src/platform/platform.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SentItems } from './sent-items.ts'

/** What a peer does to a request. */
type Deed = 'take' | 'refuse' | 'reject' | 'cut' | 'cut late' | 'slow' | 'deaf' | 'partial'

const storms: readonly (readonly Deed[])[] = [
  ['take', 'take', 'take', 'refuse'],
  ['refuse', 'refuse', 'refuse', 'take'],
  ['take', 'slow', 'slow', 'deaf'],
  ['take', 'cut', 'cut late', 'cut late'],
  ['take', 'take', 'reject', 'partial'],
  ['take', 'refuse', 'reject', 'cut', 'cut late', 'slow', 'deaf', 'partial'],
  ['deaf'],
]

interface PeerWorld {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly items: SentItems
  readonly wrong: (finding: string) => void
}

/** The far end of an exporter. It takes whatever it is sent, or not, as the weather is. */
export class SimPeer {
  readonly id: string
  readonly #world: PeerWorld
  /** Requests of more items are too large for it. */
  readonly #itemCountMax: number
  #weather: readonly Deed[] = ['take']
  readonly #hanging = new Set<() => void>()
  /** Ids of the items that it has. */
  readonly arrived = new Set<string>()
  /** Items, repeats included, of requests that it answered with success in time. */
  answeredItems = 0
  /** Items among these that it said it would not have. */
  declinedItems = 0

  constructor(id: string, world: PeerWorld) {
    this.id = id
    this.#world = world
    this.#itemCountMax = world.random.pick([Infinity, Infinity, 4])
  }

  changeWeather(): void {
    this.#weather = this.#world.random.pick(storms)
  }

  /** From now on it takes all; connections that hung are found to be dead. */
  clear(): void {
    this.#weather = ['take']
    for (const cut of this.#hanging) cut()
    this.#hanging.clear()
  }

  /** The exporter's `send`. */
  async receive(batch: Batch, abort: AbortSignal): Promise<PartialSuccess | undefined> {
    const { random } = this.#world
    const deed = random.pick(this.#weather)
    if (batch.itemCount > this.#itemCountMax) throw new Refusal('too_large', 'too many at once')
    if (deed === 'deaf') await this.#hang()
    await this.#wait(deed === 'slow' ? random.whole(500, 6000) : random.whole(0, 60))
    if (deed === 'refuse') throw this.#refusal()
    if (deed === 'reject') throw new Refusal(random.pick(['invalid', 'internal']), 'never')
    if (deed === 'cut') throw new Refusal('unavailable', 'connection reset')
    const ids = this.#world.items.read(batch, (finding) =>
      this.#world.wrong(`${this.id}: ${finding}`),
    )
    const declined = deed === 'partial' ? ids.splice(0, random.whole(0, ids.length)) : []
    for (const id of ids) this.arrived.add(id)
    if (deed === 'cut late') throw new Refusal('unavailable', 'connection reset before the answer')
    if (!abort.aborted) {
      this.answeredItems += batch.itemCount
      this.declinedItems += declined.length
    }
    return declined.length === 0
      ? undefined
      : { rejectedItemCount: declined.length, message: 'not these' }
  }

  #refusal(): Refusal {
    const { random } = this.#world
    const codes: RefusalCode[] = ['exhausted', 'unavailable', 'aborted', 'deadline_exceeded']
    const retryAfterMs = random.pick([undefined, 0, 500, 3000, 20_000])
    return new Refusal(
      random.pick(codes),
      'busy',
      retryAfterMs === undefined ? {} : { retryAfterMs },
    )
  }

  #hang(): Promise<never> {
    return new Promise((_, reject) => {
      this.#hanging.add(() => reject(new Refusal('unavailable', 'connection timed out')))
    })
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((done) => void this.#world.clock.after(delayMs, done))
  }
}
