/** Texts of labels and metadata, each kept once for all rows that use it; a request gives them their numbers. */

export interface PooledSymbol {
  readonly text: string
  /** Rows and families that use it. */
  useCount: number
  /** The request that numbered it last, and the number. */
  requestSerial: number
  ref: number
}

export class SymbolPool {
  readonly #symbols = new Map<string, PooledSymbol>()

  get count(): number {
    return this.#symbols.size
  }

  take(text: string): PooledSymbol {
    let symbol = this.#symbols.get(text)
    if (symbol === undefined) {
      symbol = { text, useCount: 0, requestSerial: 0, ref: 0 }
      this.#symbols.set(text, symbol)
    }
    symbol.useCount++
    return symbol
  }

  release(symbols: readonly PooledSymbol[]): void {
    for (const symbol of symbols) {
      if (--symbol.useCount === 0) this.#symbols.delete(symbol.text)
    }
  }
}
