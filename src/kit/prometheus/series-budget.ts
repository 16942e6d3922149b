/** How many Prometheus series are remembered, each bucket and each quantile being one, and how many may be. */
export class SeriesBudget {
  readonly #countMax: number
  #count = 0

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get count(): number {
    return this.#count
  }

  /** Whether so many more, which may be less than none, are within the limit. */
  hasRoom(change: number): boolean {
    return this.#count + change <= this.#countMax
  }

  add(change: number): void {
    this.#count += change
  }
}
