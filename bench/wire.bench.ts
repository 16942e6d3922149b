/**
 * What the wire core costs, in nanoseconds of CPU per item: `node bench/wire.bench.ts [name]`. CPU time and the best of
 * several rounds, so that a busy machine disturbs it less.
 */
import { readFileSync } from 'node:fs'
import { editAttributesInPieces, encodeKeyValue } from '../src/otlp/attributes.ts'
import { ByteMap } from '../src/otlp/byte-map.ts'
import { editItems } from '../src/otlp/edit-items.ts'
import { encodeBatch, encodeSegments } from '../src/otlp/encode-batch.ts'
import { editResource } from '../src/otlp/entity-refs.ts'
import { indexRequest } from '../src/otlp/index-request.ts'
import { mergeBatches } from '../src/otlp/merge.ts'
import type { Signal } from '../src/otlp/signal.ts'
import { mapResources } from '../src/otlp/splice.ts'
import { splitByBytes, splitByItems } from '../src/otlp/split.ts'
import { forEachItemRange } from '../src/otlp/walk.ts'
import { decodeUtf8 } from '../src/wire/utf8.ts'

const roundCount = 10
const roundNanoseconds = 40e6
const wanted = process.argv[2] ?? ''

function cpuNanoseconds(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) * 1000
}

/** Prints the cost of one of the `itemCount` things that a run does. */
function measure(name: string, itemCount: number, run: () => unknown): void {
  if (!name.includes(wanted)) return
  let runCount = 1
  let best = Infinity
  for (let round = 0; round < roundCount; round++) {
    const start = cpuNanoseconds()
    for (let count = 0; count < runCount; count++) run()
    const spent = cpuNanoseconds() - start
    if (spent > roundNanoseconds / 4) best = Math.min(best, spent / runCount / itemCount)
    else round--
    runCount = Math.max(1, Math.ceil((runCount * roundNanoseconds) / Math.max(spent, 1e6)))
  }
  console.log(`${name.padEnd(48)} ${best.toFixed(1).padStart(8)} ns`)
}

const payloads: readonly (readonly [string, Signal])[] = [
  ['collector-t500', 'traces'],
  ['ascending-t512', 'traces'],
  ['collector-t10', 'traces'],
  ['collector-m500', 'metrics'],
]

for (const [name, signal] of payloads) {
  const bytes = new Uint8Array(readFileSync(new URL(`./payloads/${name}.pb`, import.meta.url)))
  const batch = indexRequest(signal, bytes)
  const { itemCount } = batch
  measure(`${name} index`, itemCount, () => indexRequest(signal, bytes))

  const cache = new ByteMap<Uint8Array>({ entryCountMax: 1000, keyBytesMax: 1e6 })
  const addRegion = (resource: Uint8Array | undefined) => {
    const key = resource ?? new Uint8Array(0)
    let edited = cache.get(key)
    if (edited === undefined) {
      edited = editResource(key, (attributes) => attributes.set('region', 'eu-west-1'))
      cache.set(key, edited)
    }
    return edited
  }
  measure(`${name} mapResources, cached`, itemCount, () => mapResources(batch, addRegion))
  measure(`${name} encodeBatch`, itemCount, () => encodeBatch(batch))
  measure(`${name} encodeSegments`, itemCount, () => encodeSegments(batch, 16_384))
  const copies = Array.from({ length: 16 }, () => batch)
  measure(`${name} mergeBatches of 16`, itemCount * 16, () => mergeBatches(copies))
  measure(`${name} splitByItems 77`, itemCount, () => splitByItems(batch, 77))
  measure(`${name} splitByBytes 20000`, itemCount, () => splitByBytes(batch, 20_000))
  measure(`${name} forEachItemRange`, itemCount, () => {
    for (const group of batch.groups) forEachItemRange(signal, group, () => {})
  })
  const field = signal === 'metrics' ? 7 : 9
  const keyValue = encodeKeyValue('region', 'eu-west-1')
  measure(`${name} an attribute set on each item`, itemCount, () =>
    editItems(batch, (item) =>
      editAttributesInPieces(item, field, (attributes) =>
        attributes.setEncoded('region', keyValue),
      ),
    ),
  )
}

for (const keyCount of [1000, 100_000]) {
  const map = new ByteMap<number>({ entryCountMax: 1e6, keyBytesMax: 1e9 })
  const all = new Uint8Array(keyCount * 120)
  const view = new DataView(all.buffer)
  const keys = Array.from({ length: keyCount }, (_, index) => {
    view.setUint32(index * 120 + 60, index)
    return all.subarray(index * 120, index * 120 + 120)
  })
  for (const [index, key] of keys.entries()) map.set(key, index)
  measure(`ByteMap get, whole keys, ${keyCount} in order`, keyCount, () => {
    for (const key of keys) map.get(key)
  })
  const inPlace = (stride: number) => () => {
    for (let count = 0, index = 0; count < keyCount; count++) {
      map.get(all, index * 120, index * 120 + 120)
      index = (index + stride) % keyCount
    }
  }
  measure(`ByteMap get, in place, ${keyCount} in order`, keyCount, inPlace(1))
  let stride = 7
  measure(`ByteMap get, in place, ${keyCount} in new order`, keyCount, () => {
    inPlace((stride += 12) | 1)()
  })
}

const decoder = new TextDecoder()
for (const length of [4, 8, 12, 16, 24]) {
  const text = new Uint8Array(length).fill(0x61)
  measure(`text of ${length} bytes`, 1000, () => {
    for (let count = 0; count < 1000; count++) decodeUtf8(text)
  })
  measure(`text of ${length} bytes by TextDecoder`, 1000, () => {
    for (let count = 0; count < 1000; count++) decoder.decode(text.subarray(0, length))
  })
}
