/** What comes while a page is being made, and would not go with what is on it already. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { at, exposed } from '../../../../test/kit/exposed-store.ts'
import { parseExposition } from '../../../../test/kit/exposition.ts'
import { attributes, gauge, point, sum } from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'
import { negotiate } from './page-format.ts'
import { PieceBuffers } from './page-writer.ts'
import { renderText } from './render-text.ts'

const seriesCount = 3000
const openMetrics = negotiate('application/openmetrics-text;version=1.0.0', true)
const text = negotiate('text/plain;version=0.0.4', true)

/** Some more than fits into one piece of a page. */
function points(seconds: number, asDouble: number, labels: object = {}): PlainMessage[] {
  return Array.from({ length: seriesCount }, (_, number) =>
    point({ number, long: 'x'.repeat(100), ...labels }, { ...at(seconds), asDouble }),
  )
}

const nonMonotonic = { aggregationTemporality: 2, isMonotonic: false }
const typed = (type: string, dataPoints: PlainMessage[]) => ({
  name: type === 'info' ? 'state_info' : 'state',
  metadata: attributes({ 'prometheus.type': type }),
  sum: { ...nonMonotonic, dataPoints },
})

function pageWhile(before: PlainMessage, more: PlainMessage, format = openMetrics): string {
  const { store, take } = exposed({
    enable_open_metrics: true,
    translation_strategy: 'NoTranslation',
  })
  take([before])
  const options = { format, sendTimestamps: false, buffers: new PieceBuffers() }
  const pieces = renderText(store, options)
  let page = Buffer.from(pieces.next().value).toString()
  assert(page.length > 0 && page.length < seriesCount * 100)
  take([more])
  for (const piece of pieces) page += Buffer.from(piece).toString()
  return page
}

describe('what comes while a page is made and does not go with what is on it waits for the next', () => {
  const changes: Record<string, readonly [before: PlainMessage, more: PlainMessage]> = {
    counter: [sum('state_total', points(1, 1)), sum('state_total', points(2, -1))],
    info: [typed('info', points(1, 1)), typed('info', points(2, 0))],
    stateset: [
      typed('stateset', points(1, 1, { state: 'a' })),
      typed('stateset', points(2, 2, { state: 'a' })),
    ],
  }
  for (const [type, [before, more]] of Object.entries(changes)) {
    it(`as values that no ${type} of OpenMetrics has`, () => {
      const families = parseExposition(pageWhile(before, more), 'openmetrics')
      const family = families.get('state')
      assert.equal(family?.type, type)
      assert(family.samples.length > 0 && family.samples.length < seriesCount)
    })
  }

  it('as a series of a stateset without its label', () => {
    const before = typed('stateset', points(1, 1, { state: 'a' }))
    const page = pageWhile(before, typed('stateset', points(2, 1).slice(0, 100)))
    assert.equal(parseExposition(page, 'openmetrics').get('state')?.samples.length, seriesCount)
  })

  it('as a series that is another one once its labels are escaped', () => {
    const before = gauge('one', points(1, 1, { a_b: 'a' }))
    const page = pageWhile(before, gauge('one', points(1, 2, { 'a.b': 'a' })), text)
    assert.equal(parseExposition(page, 'text').get('one')?.samples.length, seriesCount)
  })
})

// The first four series of a family have a block of their own, which closes with the last of them.
for (const endedCount of [1, 4]) {
  it(`a series left out because of one that has ended since is counted; of ${endedCount} ended`, () => {
    const { store, take, own, host } = exposed({ translation_strategy: 'NoTranslation' })
    const early = (seconds: number, more: object) =>
      Array.from({ length: 4 }, (_, number) =>
        point({ 'a.b': String(number) }, { ...at(seconds), asDouble: 1, ...more }),
      )
    const late = point({ a_b: '0' }, { ...at(1), asDouble: 1 })
    take([gauge('one', [...early(1, {}), ...points(1, 1), late])])
    const pieces = renderText(store, {
      format: text,
      sendTimestamps: false,
      buffers: new PieceBuffers(),
    })
    let page = Buffer.from(pieces.next().value).toString()
    // DataPointFlags: no recorded value.
    take([gauge('one', early(2, { flags: 1 }).slice(0, endedCount))])
    for (const piece of pieces) page += Buffer.from(piece).toString()
    assert.equal(page.split('a_b="0"').length - 1, 1)
    assert.equal(own('penstock_exporter_prometheus_left_out', { cause: 'labels' }), 1)
    // There is no name left for what was in its way.
    assert.deepEqual(
      host.lines.filter(({ message }) => message.includes('left out')),
      [],
    )
  })
}
