/**
 * Finds what a server minds in a request that it refused for good, and delivers the rest: series that the answer names
 * are taken out, what is left is cut in halves between series. Nothing of a series overtakes what came before it.
 */
import type { Refusal } from '../../../otlp/refusal.ts'
import type { Label } from '../../../kit/prometheus/labels.ts'
import type { LabelPool } from './label-pool.ts'
import { namedSeries } from './named-series.ts'
import { complaintsOf, refusesNativeHistograms, rejectionCause } from './read-answer.ts'
import type { SampleList } from './sample-list.ts'

interface IsolationOptions {
  readonly list: SampleList
  readonly pool: LabelPool
  /** Whether the sample goes out as a native histogram. */
  readonly isNative: (index: number) => boolean
  /** So many requests in a row may save nothing before the rest is given up. */
  readonly fruitlessMax: number
  /** Counts what it delivers, and what is lost otherwise than by a refusal for good, which it gives back. */
  readonly send: (indices: Uint32Array) => Promise<Sent>
}

/**
 * 'returned' when all of it is for the caller to repeat, 'other' when some or all of it was lost for a reason that
 * cutting does not help.
 */
export type Sent = 'taken' | 'returned' | 'other' | Refusal

/** A sample that was refused alone, and in what words. */
export interface Refused {
  readonly index: number
  readonly complaint: string
}

export interface Verdicts {
  readonly refused: readonly Refused[]
  /** Refused only because the server has them from a request that it refused. */
  readonly stored: readonly number[]
  /** Never sent alone, and in no request that was taken. */
  readonly unsettled: readonly number[]
  /** Not sent, since the caller repeats others of their series. */
  readonly returned: readonly number[]
  /** Whether any of it was taken. */
  readonly hasSaved: boolean
}

interface Group {
  readonly indices: Uint32Array
  /** How often in a row series were taken out of it by name. */
  readonly strikes: number
}

/** Or as many as there are samples. */
const requestsMax = 2000
/** A server that names one series an answer would be asked once for each of them. */
const strikesMax = 4
/** So many series of which only the newest sample is taken tell of a server that keeps parts of what it refuses. */
const witnessesMin = 3

export class Isolation {
  readonly #options: IsolationOptions
  readonly #pending: Group[] = []
  readonly #refused: Refused[] = []
  readonly #unsettled: number[] = []
  readonly #returned: number[] = []
  /** Series of which the caller repeats samples. */
  readonly #returnedSeries = new Set<number>()
  /** Samples by series, as they were in the request that was refused first. */
  readonly #series = new Map<number, Uint32Array>()
  readonly #firstNamed = new Set<number>()
  #firstIsOfOrder = false
  /** Series whose newest sample was taken. */
  readonly #held = new Set<number>()
  /** Older samples that are not sent again, since the server has them. */
  readonly #keptBack: number[] = []
  #witnessCount = 0
  /** Set once older samples were taken the second time: the server had stored nothing the first time. */
  #storesNothing = false
  #requestsMax = requestsMax
  #requestCount = 0
  #fruitlessCount = 0
  #hasSaved = false

  constructor(options: IsolationOptions) {
    this.#options = options
  }

  async run(indices: Uint32Array, refusal: Refusal): Promise<Verdicts> {
    for (const [set, own] of this.#bySeries(indices)) this.#series.set(set, own)
    this.#requestsMax = Math.max(requestsMax, indices.length)
    this.#firstIsOfOrder = isOfOrder(refusal.message)
    for (const set of this.#named(refusal).keys()) this.#firstNamed.add(set)
    await this.#divide({ indices, strikes: 0 }, refusal)
    for (;;) {
      // The smallest first, which comes to a result soonest; when that saves nothing the largest, which may be all good.
      const group = this.#isFruitless ? this.#pending.shift() : this.#pending.pop()
      if (group === undefined) break
      await this.#try(group)
    }
    return this.#verdicts()
  }

  get #isFruitless(): boolean {
    return this.#fruitlessCount >= this.#options.fruitlessMax
  }

  /** What is still to be sent is sent once, but not cut any more. */
  get #isGivingUp(): boolean {
    return this.#isFruitless || this.#requestCount >= this.#requestsMax
  }

  async #try({ indices, strikes }: Group): Promise<void> {
    const group = { indices: this.#keepsParts ? this.#newestOf(indices) : indices, strikes }
    const sent = await this.#send(group.indices)
    if (typeof sent !== 'string') await this.#divide(group, sent)
  }

  async #send(indices: Uint32Array): Promise<Sent> {
    this.#requestCount++
    const sent = await this.#options.send(indices)
    if (sent === 'taken') this.#noteTaken(indices)
    else if (sent === 'returned') {
      for (const index of indices) this.#returnedSeries.add(this.#set(index))
    } else if (sent !== 'other') this.#fruitlessCount++
    return sent
  }

  #noteTaken(indices: Uint32Array): void {
    this.#fruitlessCount = 0
    this.#hasSaved = true
    for (const index of indices) {
      if (this.#isNewest(index)) this.#held.add(this.#set(index))
      else this.#storesNothing = true
    }
  }

  async #divide({ indices, strikes }: Group, refusal: Refusal): Promise<void> {
    const series = this.#bySeries(indices)
    if (series.size === 1) return this.#divideSeries(indices, refusal)
    const seriesCount = series.size
    for (const [set, complaints] of this.#named(refusal)) {
      const own = series.get(set)
      if (own === undefined) continue
      series.delete(set)
      if (complaints.length < own.length) await this.#halveSeries(own)
      else for (const index of own) this.#refused.push({ index, complaint: complaints[0] })
    }
    const rest = [...series.values()]
    if (this.#isGivingUp) {
      for (const own of rest) this.#unsettled.push(...own)
    } else if (series.size < seriesCount && strikes < strikesMax) {
      this.#postpone(rest, strikes + 1)
    } else {
      const middle = Math.ceil(rest.length / 2)
      this.#postpone(rest.slice(middle), 0)
      this.#postpone(rest.slice(0, middle), 0)
    }
  }

  #postpone(series: readonly Uint32Array[], strikes: number): void {
    // In the order they were queued in, which is that of time.
    const indices = Uint32Array.from(series.flatMap((own) => [...own])).toSorted()
    if (indices.length > 0) this.#pending.push({ indices, strikes })
  }

  /** Samples of one series, refused together: they go before anything else is sent, in their order. */
  async #divideSeries(indices: Uint32Array, refusal: Refusal): Promise<void> {
    const complaints = this.#named(refusal).get(this.#set(indices[0])) ?? []
    if (indices.length > Math.max(complaints.length, 1)) return this.#halveSeries(indices)
    const [complaint = refusal.message] = complaints
    for (const index of indices) this.#refused.push({ index, complaint })
  }

  async #halveSeries(indices: Uint32Array): Promise<void> {
    const pending = halves(indices).toReversed()
    const refusedBefore = this.#refused.length
    for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
      const sent = await this.#send(part)
      if (sent === 'returned') {
        // What is left is newer, and would overtake the repetition.
        for (const newer of pending.splice(0)) this.#returned.push(...newer)
      }
      if (typeof sent === 'string') continue
      if (part.length === 1) this.#refused.push({ index: part[0], complaint: sent.message })
      else if (this.#isGivingUp) this.#unsettled.push(...part)
      else pending.push(...halves(part).toReversed())
    }
    const refused = this.#refused.slice(refusedBefore)
    const isAllButNewest = refused.length === indices.length - 1
    if (isAllButNewest && refused.every(this.#mayBeStored)) this.#witnessCount++
  }

  /** Whether so many series had only their newest sample taken that the others will fare alike. */
  get #keepsParts(): boolean {
    return this.#witnessCount >= witnessesMin && !this.#storesNothing
  }

  #newestOf(indices: Uint32Array): Uint32Array {
    const isOlder = (index: number) => !this.#isNewest(index) && !this.#isSuspect(this.#set(index))
    for (const index of indices) if (isOlder(index)) this.#keptBack.push(index)
    return indices.filter((index) => !isOlder(index))
  }

  /** Whether what the server said first may have meant this series by its order. */
  #isSuspect(set: number): boolean {
    return this.#firstNamed.size > 0 ? this.#firstNamed.has(set) : this.#firstIsOfOrder
  }

  /** Whether the server may mind only that it has it already: its newer ones were taken from the same request. */
  readonly #mayBeStored = ({ index, complaint }: Refused): boolean => {
    const set = this.#set(index)
    if (this.#isNewest(index) || !this.#held.has(set)) return false
    return isOfOrder(complaint) && !this.#isSuspect(set)
  }

  #verdicts(): Verdicts {
    const refused: Refused[] = []
    const stored: number[] = []
    for (const one of this.#refused) {
      if (!this.#storesNothing && this.#mayBeStored(one)) stored.push(one.index)
      else refused.push(one)
    }
    const [unsettled, returned] = [[...this.#unsettled], [...this.#returned]]
    const complaints = new Map(refused.map(({ index, complaint }) => [this.#set(index), complaint]))
    for (const index of this.#keptBack) {
      const complaint = complaints.get(this.#set(index))
      if (!this.#storesNothing && this.#held.has(this.#set(index))) stored.push(index)
      else if (this.#returnedSeries.has(this.#set(index))) returned.push(index)
      else if (complaint !== undefined) refused.push({ index, complaint })
      else unsettled.push(index)
    }
    return { refused, stored, unsettled, returned, hasSaved: this.#hasSaved }
  }

  #set(index: number): number {
    return this.#options.list.sets[index]
  }

  #isNewest(index: number): boolean {
    const { timesMs } = this.#options.list
    const newest = this.#series.get(this.#set(index))?.at(-1) ?? index
    return timesMs[index] === timesMs[newest]
  }

  #bySeries(indices: Uint32Array): Map<number, Uint32Array> {
    const lists = new Map<number, number[]>()
    for (const index of indices) {
      const known = lists.get(this.#set(index))
      if (known === undefined) lists.set(this.#set(index), [index])
      else known.push(index)
    }
    return new Map(Array.from(lists, ([set, own]) => [set, Uint32Array.from(own)]))
  }

  /** What the server says of each series that it names. */
  #named(refusal: Refusal): Map<number, string[]> {
    const named = new Map<number, string[]>()
    const add = (set: number, complaint: string) => {
      const known = named.get(set)
      if (known === undefined) named.set(set, [complaint])
      else known.push(complaint)
    }
    const complaints = complaintsOf(refusal)
    for (const complaint of complaints) {
      const labels = namedSeries(complaint)
      const set = labels === undefined ? undefined : this.#setOf(labels)
      if (set !== undefined) add(set, complaint)
    }
    // The server names none, and means them all.
    const ofHistograms = complaints.find(refusesNativeHistograms)
    if (ofHistograms !== undefined) {
      for (const index of this.#nativeHistograms()) add(this.#set(index), ofHistograms)
    }
    return named
  }

  #nativeHistograms(): number[] {
    const all = [...this.#series.values()].flatMap((own) => [...own])
    return all.filter(this.#options.isNative)
  }

  #setOf(labels: readonly Label[]): number | undefined {
    const { pool } = this.#options
    const set = pool.take(labels)
    pool.release(set)
    return this.#series.has(set) ? set : undefined
  }
}

function isOfOrder(complaint: string): boolean {
  const cause = rejectionCause(complaint)
  return cause === 'out_of_order' || cause === 'duplicate_timestamp'
}

function halves(indices: Uint32Array): [Uint32Array, Uint32Array] {
  const middle = Math.ceil(indices.length / 2)
  return [indices.slice(0, middle), indices.slice(middle)]
}
