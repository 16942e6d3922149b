/**
 * Labels of all rows: each label is kept once, encoded, and a row's labels are the list of theirs. So a row costs four
 * bytes a label, two rows with the same labels are found to be one series, and who writes a request knows which bytes
 * repeat. Everything is counted and goes with its last user.
 */
import { ByteTable, noEntry, ownWordsAt } from '../../../kit/prometheus/byte-table.ts'
import type { Label } from '../../../kit/prometheus/labels.ts'
import { FieldReader } from '../../../wire/field-reader.ts'
import { encodeUtf8, writeUtf8 } from '../../../wire/utf8.ts'
import { fieldLength, writeFieldHeader } from '../../../wire/varint.ts'

/** Words of a label, of a set of labels, and of a text. */
const useCountAt = ownWordsAt
/** Of a label: where the 1.0 request under construction has it. */
export const positionAt = ownWordsAt + 1
/** Of a label: its texts, plus one; what they are in the 2.0 request that it was last part of, and which that was. */
const nameTextAt = ownWordsAt + 2
const valueTextAt = ownWordsAt + 3
export const labelSerialAt = ownWordsAt + 4
export const nameRefAt = ownWordsAt + 5
export const valueRefAt = ownWordsAt + 6
/** Of a set: the length of its labels as fields of a 1.0 TimeSeries. */
const encodedLengthAt = ownWordsAt + 1
/** Of a set: the request under construction that it is part of, and the place of its last sample there. */
export const setSerialAt = ownWordsAt + 2
export const lastPlaceAt = ownWordsAt + 3
/** Of a set: its shard, plus one. */
const shardAt = ownWordsAt + 4
/** Of a text: the request that has it, and its number there. */
export const textSerialAt = ownWordsAt + 1
export const textRefAt = ownWordsAt + 2

const idBytes = 4
/** So many sets go to one shard before the next one has its turn. */
const neighbours = 32
/** Of labels of the set before, how many are remembered. */
const recentMax = 64
/** Tags and lengths of a label and its two texts. */
const headerBytesMax = 18

export class LabelPool {
  /** Keys are labels as fields of a 1.0 TimeSeries. */
  readonly labels: ByteTable
  /** Keys are entries of `labels`, each as a little-endian word. */
  readonly sets: ByteTable
  /** Keys are UTF-8. */
  readonly texts: ByteTable
  #scratch = new Uint8Array(1024)
  #ids = new DataView(new ArrayBuffer(64 * idBytes))
  #idsKey = new Uint8Array(this.#ids.buffer)
  /** Of the set before, by place: its neighbour has most of them too. */
  readonly #recentLabels: Label[] = []
  readonly #recentIds: number[] = []
  #tidied = 0
  #dealtCount = 0

  constructor(seed: number) {
    this.labels = new ByteTable(seed, 7)
    this.sets = new ByteTable(seed, 5)
    this.texts = new ByteTable(seed, 3)
  }

  /** The set of these labels, sorted by name; whoever takes it releases it. */
  take(labels: readonly Label[]): number {
    if (labels.length * idBytes > this.#ids.byteLength) {
      this.#ids = new DataView(new ArrayBuffer(labels.length * idBytes * 2))
      this.#idsKey = new Uint8Array(this.#ids.buffer)
    }
    let encodedLength = 0
    for (let index = 0; index < labels.length; index++) {
      const id = this.#takeLabelAt(index, labels[index])
      encodedLength += this.labels.keyLength(id)
      this.#ids.setInt32(index * idBytes, id, true)
    }
    const key = this.#idsKey
    const byteLength = labels.length * idBytes
    const known = this.sets.find(0, key, 0, byteLength)
    if (known !== noEntry) {
      for (const id of this.ids(known)) this.#releaseLabel(id)
      this.sets.words[known + useCountAt]++
      return known
    }
    const set = this.sets.add(0, key, 0, byteLength)
    this.sets.words[set + useCountAt] = 1
    this.sets.words[set + encodedLengthAt] = encodedLength
    return set
  }

  release(set: number): void {
    if (--this.sets.words[set + useCountAt] > 0) return
    const ids = [...this.ids(set)]
    this.sets.remove(set)
    for (const id of ids) this.#releaseLabel(id)
  }

  /** Sets are numbered without gaps; the number of one that has gone is given again. */
  index(set: number): number {
    return set / this.sets.entryWords
  }

  /**
   * One of so many for sets that belong together: that of the first that is in one, where it is for as long as anybody
   * uses it. Sets that were made one after the other mostly stay together: they share labels, and their samples come
   * one after the other too.
   */
  shard(sets: readonly number[], shardCount: number): number {
    const { words } = this.sets
    for (const set of sets) if (words[set + shardAt] !== 0) return words[set + shardAt] - 1
    const shard = Math.floor(this.#dealtCount++ / neighbours) % shardCount
    this.joinShard(sets[0], shard)
    return shard
  }

  /** The set is in that shard, unless it is in one already. */
  joinShard(set: number, shard: number): void {
    const { words } = this.sets
    if (words[set + shardAt] === 0) words[set + shardAt] = shard + 1
  }

  /** Of its labels as fields of a 1.0 TimeSeries. */
  encodedLength(set: number): number {
    return this.sets.words[set + encodedLengthAt]
  }

  /** Number of labels in a set. */
  labelCount(set: number): number {
    return this.sets.keyLength(set) / idBytes
  }

  /** The labels of a set, as entries of `labels`. */
  *ids(set: number): Iterable<number> {
    const memory = this.sets.keyMemory(set)
    const start = this.sets.keyStart(set)
    for (let index = 0; index < this.labelCount(set); index++) {
      yield memory.getInt32(start + index * idBytes, true)
    }
  }

  read(set: number): Label[] {
    return Array.from(this.ids(set), (id) => this.#decode(id))
  }

  /** For people: `name{label="value"}`. */
  describe(set: number): string {
    const labels = this.read(set)
    const name = labels.find((label) => label.name === '__name__')?.value ?? ''
    const rest = labels.filter((label) => label.name !== '__name__')
    return `${name}{${rest.map((label) => `${label.name}=${JSON.stringify(label.value)}`).join(',')}}`
  }

  /** The texts of a label, as entries of `texts`. */
  textsOf(id: number): { name: number; value: number } {
    const { words } = this.labels
    if (words[id + nameTextAt] === 0) this.#addTexts(id)
    return { name: words[id + nameTextAt] - 1, value: words[id + valueTextAt] - 1 }
  }

  /** An entry of `texts`; whoever takes it releases it. */
  takeText(text: string): number {
    const bytes = encodeUtf8(text)
    let entry = this.texts.find(0, bytes, 0, bytes.length)
    if (entry === noEntry) entry = this.texts.add(0, bytes, 0, bytes.length)
    this.texts.words[entry + useCountAt]++
    return entry
  }

  releaseText(entry: number): void {
    if (--this.texts.words[entry + useCountAt] === 0) this.texts.remove(entry)
  }

  /** Gives back memory between what is left, some of it at a time. */
  tidy(entryCount: number): void {
    for (const table of [this.labels, this.sets, this.texts]) {
      const end = (this.#tidied + entryCount) * table.entryWords
      for (let at = this.#tidied * table.entryWords; at < end && at < table.used;) {
        if (!table.isFree(at)) table.tidy(at)
        at += table.entryWords
      }
    }
    this.#tidied += entryCount
    const used = [this.labels, this.sets, this.texts].map((table) => table.used / table.entryWords)
    if (this.#tidied >= Math.max(...used)) this.#tidied = 0
  }

  #takeLabelAt(index: number, label: Label): number {
    const recent = this.#recentLabels[index]
    if (recent !== undefined && recent.value === label.value && recent.name === label.name) {
      const id = this.#recentIds[index]
      this.labels.words[id + useCountAt]++
      return id
    }
    const id = this.#takeLabel(label)
    if (index < recentMax) {
      this.#recentLabels[index] = label
      this.#recentIds[index] = id
    }
    return id
  }

  #takeLabel({ name, value }: Label): number {
    const byteLength = this.#encode(name, value)
    const bytes = this.#scratch
    let id = this.labels.find(0, bytes, 0, byteLength)
    if (id === noEntry) id = this.labels.add(0, bytes, 0, byteLength)
    this.labels.words[id + useCountAt]++
    return id
  }

  /** Writes the field to the scratch memory and gives its length. */
  #encode(name: string, value: string): number {
    const byteLengthMax = headerBytesMax + (name.length + value.length) * 3
    // Always the same memory but for very long ones: the table keeps a view of what it looked for last.
    if (byteLengthMax > this.#scratch.length) this.#scratch = new Uint8Array(byteLengthMax * 2)
    const bytes = this.#scratch
    // As ASCII, which nearly all are: nothing is moved then.
    let at = labelHeader(bytes, name.length, value.length)
    const nameEnd = writeUtf8(bytes, at, name)
    const valueAt = writeFieldHeader(bytes, nameEnd, 2, value.length)
    const end = writeUtf8(bytes, valueAt, value)
    const nameLength = nameEnd - at
    const valueLength = end - valueAt
    if (nameLength === name.length && valueLength === value.length) return end
    at = labelHeader(bytes, nameLength, valueLength)
    writeUtf8(bytes, at, name)
    return writeUtf8(bytes, writeFieldHeader(bytes, at + nameLength, 2, valueLength), value)
  }

  #releaseLabel(id: number): void {
    const { words } = this.labels
    if (--words[id + useCountAt] > 0) return
    if (words[id + nameTextAt] !== 0) {
      this.releaseText(words[id + nameTextAt] - 1)
      this.releaseText(words[id + valueTextAt] - 1)
    }
    this.labels.remove(id)
    this.#recentLabels.length = 0
    this.#recentIds.length = 0
  }

  #addTexts(id: number): void {
    const { name, value } = this.#decode(id)
    this.labels.words[id + nameTextAt] = this.takeText(name) + 1
    this.labels.words[id + valueTextAt] = this.takeText(value) + 1
  }

  #decode(id: number): Label {
    const { buffer } = this.labels.keyMemory(id)
    const start = this.labels.keyStart(id)
    const bytes = new Uint8Array(buffer, start, this.labels.keyLength(id))
    const field = new FieldReader(bytes)
    field.next()
    const label = new FieldReader(bytes, field.start, field.end)
    label.next()
    const name = label.string()
    label.next()
    return { name, value: label.string() }
  }
}

/** Tags and lengths of a label up to its name, and where that goes. */
function labelHeader(bytes: Uint8Array, nameLength: number, valueLength: number): number {
  const byteLength = fieldLength(1, nameLength) + fieldLength(2, valueLength)
  return writeFieldHeader(bytes, writeFieldHeader(bytes, 0, 1, byteLength), 1, nameLength)
}
