import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { gauge, metricsBatch, point } from '../../../../test/kit/metrics-request.ts'
import { decodeMessage, type PlainMessage } from '../../../../test/kit/oracle.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import { LabelPairs } from './label-pairs.ts'
import { labelText } from './label-text.ts'
import { WireWriter } from '../../../wire/wire-writer.ts'
import { negotiate } from './page-format.ts'
import { pieceBytes, PageWriter, PieceBuffers } from './page-writer.ts'
import { renderProtobuf } from './render-protobuf.ts'
import { renderText } from './render-text.ts'
import { SeriesStore } from './series-store.ts'
import { labelRules, settings as schema } from './settings.ts'

function storeOf(config: object = {}) {
  const host = testHost({ signals: ['metrics'] })
  const settings = schema.parse({ endpoint: 'localhost:0', ...config })
  const options = {
    naming: { strategy: settings.translation_strategy!, namespace: '' },
    rules: labelRules(settings),
    expirationMs: settings.metric_expiration,
    seriesMax: settings.max_series,
    deltas: settings.delta_to_cumulative,
    keepsExemplars: false,
  }
  return { host, store: new SeriesStore(options, host) }
}

const strategy = { translation_strategy: 'UnderscoreEscapingWithoutSuffixes' }
const textFormat = negotiate('text/plain', false)

function take(store: SeriesStore, numbers: readonly number[], value = 1): void {
  const points = numbers.map((number) => point({ number: String(number) }, { asDouble: value }))
  store.consume(metricsBatch([gauge('big', points)]))
}

function numbersOn(page: string): number[] {
  return [...page.matchAll(/number="(\d+)"/g)].map(([, digits]) => Number(digits))
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

test('a long page comes in pieces of bounded length, in the same order every time', () => {
  const { store } = storeOf(strategy)
  take(store, upTo(10_000))
  const scrape = () => {
    const buffers = new PieceBuffers()
    let page = ''
    for (const piece of renderText(store, { format: textFormat, sendTimestamps: false, buffers })) {
      assert(piece.length < pieceBytes + 1000)
      page += Buffer.from(piece).toString()
      // What was sent is overwritten by what follows: nothing may still be needed.
      buffers.giveBack(piece)
    }
    return page
  }
  const first = scrape()
  assert.deepEqual(
    numbersOn(first).sort((left, right) => left - right),
    upTo(10_000),
  )
  take(store, upTo(10_000).toReversed(), 2)
  assert.equal(scrape(), first.replaceAll('} 1\n', '} 2\n'))
})

test('while a page is made series come and go; those that stay are on it once', async () => {
  const { store, host } = storeOf({ ...strategy, metric_expiration: '1m' })
  take(store, upTo(20_000))
  const options = { format: textFormat, sendTimestamps: false, buffers: new PieceBuffers() }
  const pieces = renderText(store, options)
  let page = Buffer.from(pieces.next().value).toString()
  await host.clock.advance(40_000)
  const staying = upTo(20_000).filter((number) => number % 3 === 0)
  take(store, staying)
  await host.clock.advance(40_000)
  while (store.seriesCount > staying.length) store.sweep()
  take(
    store,
    upTo(5000).map((number) => number + 100_000),
  )
  for (const piece of pieces) page += Buffer.from(piece).toString()
  const seen = numbersOn(page)
  assert.equal(new Set(seen).size, seen.length)
  const shown = new Set(seen)
  for (const number of staying) assert(shown.has(number), `${number} is missing`)
})

test('a family beyond four megabytes goes in several messages of its name', () => {
  const { store } = storeOf(strategy)
  const long = 'x'.repeat(1000)
  const points = upTo(6000).map((number) =>
    point({ number: String(number), long }, { asDouble: number }),
  )
  store.consume(metricsBatch([gauge('big', points)]))
  const format = negotiate(
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
    false,
  )
  const options = { format, sendTimestamps: false, buffers: new PieceBuffers() }
  const page = Buffer.concat([...renderProtobuf(store, options)])
  const reader = protobuf.Reader.create(page)
  const values: number[] = []
  let messageCount = 0
  while (reader.pos < reader.len) {
    const length = reader.uint32()
    assert(length < 5 << 20)
    const family = decodeMessage(
      'io.prometheus.client.MetricFamily',
      page.subarray(reader.pos, reader.pos + length),
    )
    assert.deepEqual([family.name, family.type], ['big', 1])
    for (const metric of family.metric as PlainMessage[]) {
      values.push((metric.gauge as PlainMessage).value as number)
    }
    reader.skip(length)
    messageCount++
  }
  assert.equal(messageCount, 2)
  assert.deepEqual(
    values.sort((left, right) => left - right),
    upTo(6000),
  )
})

test('metrics of one name whose units differ: the first is kept, the others are counted', () => {
  const { store, host } = storeOf({ ...strategy, enable_open_metrics: true })
  const metric = (unit: string, room: string) =>
    gauge('load_seconds', [point({ room }, { asDouble: 1 })], { unit })
  store.consume(metricsBatch([metric('s', 'a'), metric('ms', 'b'), metric('By', 'c')]))
  const labels = { exporter: host.id, kind: 'unit' }
  assert.equal(host.meter.value('penstock_exporter_prometheus_conflicts', labels), 2)
  assert.equal(host.lines.filter(({ message }) => message.includes('another unit')).length, 1)
  const format = negotiate('application/openmetrics-text;version=1.0.0', true)
  const options = { format, sendTimestamps: false, buffers: new PieceBuffers() }
  const page = Buffer.concat([...renderText(store, options)]).toString()
  assert.deepEqual(page.match(/^# UNIT .*$/gm), ['# UNIT load_seconds seconds'])
  assert.equal(page.match(/^load_seconds\{/gm)?.length, 3)
})

// Too long for one byte of length, and in need of an escape.
const odd = ['x'.repeat(130), 'a"b']

test('label pairs say what the labels were, whichever came before', () => {
  const any = fc.record({
    name: fc.string({ minLength: 1, unit: 'grapheme' }),
    value: fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }),
  })
  const plain = fc.record({
    name: fc.stringMatching(/^[a-z_]{1,40}$/),
    value: fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }),
  })
  const lists = [any, plain].map((label) =>
    fc.uniqueArray(label, { selector: ({ name }) => name, maxLength: 70 }),
  )
  // Labels that often are what those in their place were before, whole or in part.
  const alike = fc
    .array(fc.tuple(fc.constantFrom('a', 'b', 'bxy'), fc.constantFrom('1', '2', '12', '=', ...odd)))
    .map((some) => some.map(([name, value], place) => ({ name: `a${place}${name}`, value })))
  fc.assert(
    fc.property(
      fc.array(fc.oneof(...lists, alike, alike, alike), { minLength: 1, maxLength: 12 }),
      (series) => {
        const pairs = new LabelPairs(1)
        for (const labels of series) {
          const text = Buffer.from(`##${labelText(labels).text}##`)
          const view = new DataView(text.buffer, text.byteOffset, text.length)
          const writer = new WireWriter()
          pairs.write(writer, view, 2, text.length - 2)
          const decoded = decodeMessage('io.prometheus.client.Metric', writer.finish())
          assert.deepEqual(
            decoded.label ?? [],
            labels.map((label) => ({ ...label })),
          )
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('a number with few decimals has its shortest digits, any other is left alone', () => {
  const writer = new PageWriter(new PieceBuffers())
  const written = (value: number) => {
    const isWritten = writer.decimal(value)
    const text = Buffer.from(writer.piece()).toString()
    assert.equal(isWritten, text !== '')
    return text
  }
  const few = fc.tuple(fc.integer({ min: -(1e12 - 1), max: 1e12 - 1 }), fc.nat(6))
  fc.assert(
    fc.property(few, ([units, decimals]) => {
      const value = Math.trunc(units / 10 ** (6 - decimals)) / 10 ** decimals
      // JavaScript's own form has an exponent below 1e-6 alone.
      assert.equal(written(value), String(value))
    }),
  )
  const any = fc.oneof(fc.double(), fc.double({ min: -1e6, max: 1e6 }))
  fc.assert(
    fc.property(any, (value) => assert(['', String(value)].includes(written(value)), `${value}`)),
  )
  for (const value of [NaN, Infinity, 1e6, 1e-7, 0.1 + 0.2, 999_999.9999999999]) {
    assert.equal(written(value), '')
  }
})

test('digits are those of the number, and a long text makes room for itself', () => {
  const writer = new PageWriter(new PieceBuffers())
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), (number) => {
      writer.digits(number)
      assert.equal(Buffer.from(writer.piece()).toString(), String(number))
    }),
  )
  const text = 'é'.repeat(pieceBytes * 2)
  writer.ascii('a ')
  writer.text(text)
  assert.equal(Buffer.from(writer.piece()).toString(), `a ${text}`)
})
