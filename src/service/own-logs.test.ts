import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../test/kit/manual-clock.ts'
import type { LogSampling } from './checked-config.ts'
import { openLogs } from './own-logs.ts'

function opened(sampling?: LogSampling) {
  const lines: { level: string; msg: string; n: number }[] = []
  const clock = new ManualClock()
  const settings = { level: 'info', encoding: 'json', initialFields: {} } as const
  const logs = openLogs({ ...settings, ...(sampling && { sampling }) }, clock, {
    write: (text: string) => void lines.push(JSON.parse(text) as (typeof lines)[number]),
  })
  return { logs, lines, clock }
}

const sampling = { tickMs: 10_000, initial: 2, thereafter: 3 }

test('of lines with one text the first are written, then one in so many, anew each tick', async () => {
  const { logs, lines, clock } = opened(sampling)
  const child = logs.for({ 'otelcol.component.id': 'otlp' })
  for (let n = 1; n <= 9; n++) (n % 2 === 0 ? child : logs.root).info({ n }, 'Refused.')
  assert.deepEqual(
    lines.map(({ n }) => n),
    [1, 2, 5, 8],
  )
  lines.length = 0
  await clock.advance(9999)
  logs.root.info({ n: 10 }, 'Refused.')
  await clock.advance(1)
  for (let n = 11; n <= 13; n++) logs.root.info({ n }, 'Refused.')
  assert.deepEqual(
    lines.map(({ n }) => n),
    [11, 12],
  )
})

test('lines of another text or level are counted apart, and those below the level not at all', () => {
  const { logs, lines } = opened({ ...sampling, initial: 1, thereafter: 0 })
  for (let n = 0; n < 3; n++) {
    logs.root.debug({ n }, 'Refused.')
    logs.root.info({ n }, 'Refused.')
    logs.root.warn({ n }, 'Refused.')
    logs.root.info({ n }, 'Taken.')
  }
  assert.deepEqual(
    lines.map(({ level, msg, n }) => `${level} ${msg} ${n}`),
    ['info Refused. 0', 'warn Refused. 0', 'info Taken. 0'],
  )
})

test('without sampling every line is written', () => {
  const { logs, lines } = opened()
  for (let n = 0; n < 300; n++) logs.root.info({ n }, 'Refused.')
  assert.equal(lines.length, 300)
})

test('a flood of different texts is written, and remembered within bounds', () => {
  const { logs, lines } = opened({ ...sampling, initial: 1, thereafter: 0 })
  for (let n = 0; n < 10_000; n++) logs.root.info({ n }, `Text ${n}.`)
  assert.equal(lines.length, 10_000)
})
