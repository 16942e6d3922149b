/** Collects lines up to a length, so that one huge batch does not fill memory and log with its dump. */
export class TextLines {
  readonly #lengthMax: number
  #parts: string[] = []
  #length = 0

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax
  }

  /** Nothing that is added from now on will be seen. */
  get isFull(): boolean {
    return this.#length > this.#lengthMax
  }

  add(line: string): void {
    if (this.isFull) return
    this.#length += line.length + 1
    this.#parts.push(this.isFull ? '... (the rest is left out)' : line)
  }

  /** Ends with a newline, unless it is empty. */
  toString(): string {
    return this.#parts.map((line) => `${line}\n`).join('')
  }
}
