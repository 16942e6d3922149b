/** In 32-bit words: the first page, and what they grow to. */
const pageWordsFirst = 1024
const pageWordsMax = 65_536

/** Before each key: its entry, and its length in bytes. */
const headerWords = 2

/** How many entries in a row are kept for having been used, before one leaves nevertheless: eviction stays short. */
const secondChanceMax = 64

// What is kept of each entry, as numbers in a row.
const fieldsPerEntry = 6
const pageAt = 0
const wordAt = 1
const lengthAt = 2
const hashAt = 3
const usedAt = 4
const followingAt = 5

/**
 * The keys of a ByteMap, written one behind the other into pages, the newest last. What is removed leaves a hole; a page
 * is given up when all in it is gone, or was carried to the end of the log. So a million keys are a few hundred arrays
 * and not a million, and leaving in order of age means walking the log from its start.
 *
 * One key at a time is looked at, without being copied; the questions are about it.
 */
export class KeyLog {
  entryCount = 0
  keyBytes = 0
  #pages: Int32Array[] = []
  /** Number of `#pages[0]`; entries know their page by number. */
  #firstPage = 0
  /** Where the log begins in the first page, and ends in the last. */
  #head = 0
  #tail = 0
  /** In words: all keys between head and tail with their headers, and those of them that are no holes. */
  #logWords = 0
  #liveWords = 0
  #entries = new Int32Array(64 * fieldsPerEntry)
  #entryLimit = 0
  #freed: number[] = []

  #source: Uint8Array | undefined
  #view: DataView = new DataView(new ArrayBuffer(0))
  #start = 0
  #byteLength = 0
  #copy = new Uint8Array(0)
  #copyView = this.#view

  get pageBytes(): number {
    return this.#pages.reduce((sum, page) => sum + page.byteLength, 0)
  }

  /** Turns to the key that is the bytes from `start` to `end`. */
  look(bytes: Uint8Array, start: number, end: number): void {
    const byteLength = end - start
    this.#byteLength = byteLength
    this.#start = start
    if (bytes === this.#source) return
    if (byteLength === bytes.length) {
      // An array that is one key is copied, which costs a third of a DataView for it.
      if (byteLength > this.#copy.length) this.#growCopy(byteLength)
      this.#copy.set(bytes)
      this.#view = this.#copyView
      this.#source = undefined
      return
    }
    this.#source = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Of the key looked at: 32 bits over all its bytes; murmur's constants and finish, in two lanes. */
  hash(): number {
    const view = this.#view
    const end = this.#start + this.#byteLength
    let position = this.#start
    let one = this.#byteLength
    let other = 0x9747b28c | 0
    for (; position + 8 <= end; position += 8) {
      one = Math.imul(one ^ view.getInt32(position, true), 0x85ebca6b)
      other = Math.imul(other ^ view.getInt32(position + 4, true), 0xc2b2ae35)
      one ^= one >>> 15
      other ^= other >>> 13
    }
    for (; position < end; position++) one = Math.imul(one ^ view.getUint8(position), 0x01000193)
    let hash = Math.imul(one ^ (other >>> 16) ^ (other << 16), 0x85ebca6b)
    hash ^= hash >>> 13
    hash = Math.imul(hash, 0xc2b2ae35)
    return hash ^ (hash >>> 16)
  }

  /** Whether this entry has the key that is looked at; an entry that left, or -1, has none. */
  isLookedAt(entry: number): boolean {
    if (entry < 0) return false
    const entries = this.#entries
    const at = entry * fieldsPerEntry
    const byteLength = this.#byteLength
    if (entries[at + lengthAt] !== byteLength) return false
    const page = this.#pages[entries[at + pageAt] - this.#firstPage]
    const view = this.#view
    let word = entries[at + wordAt] + headerWords
    let position = this.#start
    const end = position + byteLength
    for (; position + 8 <= end; position += 8, word += 2) {
      const difference =
        (view.getInt32(position, true) ^ page[word]) |
        (view.getInt32(position + 4, true) ^ page[word + 1])
      if (difference !== 0) return false
    }
    for (let shift = 0; position < end; position++, shift += 8) {
      if (shift === 32) {
        shift = 0
        word++
      }
      if (view.getUint8(position) !== ((page[word] >>> shift) & 0xff)) return false
    }
    return true
  }

  hashOf(entry: number): number {
    return this.#entries[entry * fieldsPerEntry + hashAt]
  }

  /** The entry that came after this one the last time; -1 when that is not known. */
  following(entry: number): number {
    return this.#entries[entry * fieldsPerEntry + followingAt]
  }

  follow(entry: number, following: number): void {
    this.#entries[entry * fieldsPerEntry + followingAt] = following
  }

  /** Marks the entry as worth keeping for another round. */
  use(entry: number): void {
    this.#entries[entry * fieldsPerEntry + usedAt] = 1
  }

  /** Copies the key looked at to the end of the log, and gives the number of its new entry. */
  add(hash: number): number {
    const entry = this.#freed.pop() ?? this.#entryLimit++
    if ((entry + 1) * fieldsPerEntry > this.#entries.length) this.#growEntries()
    const byteLength = this.#byteLength
    const at = entry * fieldsPerEntry
    this.#entries[at + lengthAt] = byteLength
    this.#entries[at + hashAt] = hash
    this.#entries[at + usedAt] = 0
    this.#entries[at + followingAt] = -1
    const page = this.#append(entry, byteLength)
    let word = this.#entries[at + wordAt] + headerWords
    let position = this.#start
    const end = position + byteLength
    for (; position + 4 <= end; position += 4) page[word++] = this.#view.getInt32(position, true)
    if (position < end) page[word] = 0
    for (let shift = 0; position < end; position++, shift += 8) {
      page[word] |= this.#view.getUint8(position) << shift
    }
    this.entryCount++
    this.keyBytes += byteLength
    this.#liveWords += wordsFor(byteLength)
    return entry
  }

  remove(entry: number): void {
    const at = entry * fieldsPerEntry
    const byteLength = this.#entries[at + lengthAt]
    this.entryCount--
    this.keyBytes -= byteLength
    this.#liveWords -= wordsFor(byteLength)
    // No key has this length, so that whoever still expects the entry does not find it.
    this.#entries[at + lengthAt] = -1
    this.#freed.push(entry)
    // Mostly holes: whatever lives at the start goes to the end, until half of the log is live again.
    while (this.#logWords > 2 * this.#liveWords + 2 * pageWordsFirst) {
      const oldest = this.#stepHead()
      if (oldest >= 0) this.#carry(oldest)
    }
  }

  /** The entry that is to leave next: the oldest that was not used since it came or was last spared. */
  oldestToLeave(): number {
    for (let spared = 0; ;) {
      const entry = this.#stepHead()
      if (entry < 0) continue
      const usedIndex = entry * fieldsPerEntry + usedAt
      if (this.#entries[usedIndex] === 0 || spared === secondChanceMax) return entry
      this.#entries[usedIndex] = 0
      this.#carry(entry)
      spared++
    }
  }

  clear(): void {
    this.entryCount = 0
    this.keyBytes = 0
    this.#pages = []
    this.#firstPage = 0
    this.#head = 0
    this.#tail = 0
    this.#logWords = 0
    this.#liveWords = 0
    this.#entries = new Int32Array(64 * fieldsPerEntry)
    this.#entryLimit = 0
    this.#freed = []
    this.#source = undefined
  }

  /** Takes the first key out of the log; its entry, or -1 for a hole. The key stays readable until the next step. */
  #stepHead(): number {
    const page = this.#pages[0]
    const end = this.#pages.length === 1 ? this.#tail : page.length
    if (this.#head + headerWords > end || page[this.#head + 1] < 0) {
      this.#pages.shift()
      this.#firstPage++
      this.#head = 0
      return -1
    }
    const word = this.#head
    const entry = page[word]
    const words = wordsFor(page[word + 1])
    this.#head += words
    this.#logWords -= words
    const at = entry * fieldsPerEntry
    const isLive =
      this.#entries[at + lengthAt] >= 0 &&
      this.#entries[at + pageAt] === this.#firstPage &&
      this.#entries[at + wordAt] === word
    return isLive ? entry : -1
  }

  /** Writes the key of an entry that was just taken from the start again, at the end. */
  #carry(entry: number): void {
    const at = entry * fieldsPerEntry
    const from = this.#pages[this.#entries[at + pageAt] - this.#firstPage]
    const word = this.#entries[at + wordAt]
    const byteLength = this.#entries[at + lengthAt]
    const page = this.#append(entry, byteLength)
    const to = this.#entries[at + wordAt] + headerWords
    page.set(from.subarray(word + headerWords, word + wordsFor(byteLength)), to)
  }

  /** Makes room for a key at the end of the log, writes its header and gives its page. */
  #append(entry: number, byteLength: number): Int32Array {
    const words = wordsFor(byteLength)
    let page = this.#pages[this.#pages.length - 1]
    if (page === undefined || this.#tail + words > page.length) {
      // The rest of a page that nothing more fits into is marked as its end.
      if (page !== undefined && this.#tail + 1 < page.length) page[this.#tail + 1] = -1
      const grown = page === undefined ? pageWordsFirst : page.length * 2
      page = new Int32Array(Math.max(words, Math.min(grown, pageWordsMax)))
      this.#pages.push(page)
      this.#tail = 0
    }
    const word = this.#tail
    const at = entry * fieldsPerEntry
    this.#entries[at + pageAt] = this.#firstPage + this.#pages.length - 1
    this.#entries[at + wordAt] = word
    page[word] = entry
    page[word + 1] = byteLength
    this.#tail += words
    this.#logWords += words
    return page
  }

  #growEntries(): void {
    const grown = new Int32Array(this.#entries.length * 2)
    grown.set(this.#entries)
    this.#entries = grown
  }

  #growCopy(byteLength: number): void {
    this.#copy = new Uint8Array(Math.max(byteLength, this.#copy.length * 2))
    this.#copyView = new DataView(this.#copy.buffer)
  }
}

function wordsFor(byteLength: number): number {
  return headerWords + ((byteLength + 3) >>> 2)
}
