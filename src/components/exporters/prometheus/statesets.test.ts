/** OpenMetrics, "StateSet": each sample has a label named like its family, and is 0 or 1. Others make it a gauge here. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { at, exposed } from '../../../../test/kit/exposed-store.ts'
import { attributes, point } from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'

const stateset = (name: string, dataPoints: PlainMessage[]) => ({
  name,
  metadata: attributes({ 'prometheus.type': 'stateset' }),
  sum: { aggregationTemporality: 2, isMonotonic: false, dataPoints },
})
const noRecordedValue = 1

it('a stateset is one again once the series without its label has ended', () => {
  const { take, openMetrics } = exposed()
  const odd = (seconds: number, more = {}) =>
    stateset('mode', [point({ other: 'x' }, { ...at(seconds), asInt: 1n, ...more })])
  take([stateset('mode', [point({ mode: 'on' }, { ...at(1), asInt: 1n })])])
  const typeLine = () => openMetrics().match(/^# TYPE mode (.*)$/m)?.[1]
  assert.equal(typeLine(), 'stateset')
  take([odd(1)])
  assert.equal(typeLine(), 'gauge')
  take([odd(2, { flags: noRecordedValue })])
  assert.equal(typeLine(), 'stateset')
  take([stateset('mode', [point({ mode: 'on' }, { ...at(2), flags: noRecordedValue })]), odd(3)])
  assert.equal(typeLine(), 'gauge')
})

it('a stateset is one as far as escaping leaves its label the name of the family', () => {
  const { take, openMetrics } = exposed({ translation_strategy: 'NoTranslation' })
  for (const name of ['a.mode', 'b:mode']) {
    take([stateset(name, [point({ [name]: 'on' }, { ...at(1), asInt: 1n })])])
  }
  const families = (page: string) => page.match(/^# TYPE .*$/gm)
  assert.deepEqual(families(openMetrics('allow-utf-8')), [
    '# TYPE "a.mode" stateset',
    '# TYPE b:mode stateset',
  ])
  // A label may have no colon where a metric may.
  const page = openMetrics('underscores')
  assert.deepEqual(families(page), ['# TYPE a_mode stateset', '# TYPE b:mode gauge'])
})
