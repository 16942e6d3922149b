import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { refuseForNow, testHost } from '../../../../test/kit/test-host.ts'
import { Batch } from '../../../otlp/batch.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import { memoryLimiter } from './index.ts'
import { memoryLimits } from './memory-limits.ts'

const mebibyte = 1024 ** 2

/** Limit 512 MiB, soft 400, base 100: a budget of 150, a backstop at 512 that lets go at 456. */
function limiter(settings: object = {}) {
  const host = testHost({ id: 'memory_limiter', signal: 'logs' })
  host.memory.baseBytes = 100 * mebibyte
  host.memory.rssBytes = 100 * mebibyte
  const parsed = memoryLimiter.config.parse({
    check_interval: '1s',
    limit_mib: 512,
    spike_limit_mib: 112,
    ...settings,
  })
  const processor = memoryLimiter.create(parsed, host)
  return { host, processor, admit: (byteLength: number) => processor.admit!(byteLength) }
}

function batchOf(byteLength: number, itemCount = 3): Batch {
  return new Batch('logs', [{ resource: undefined, rest: new Uint8Array(byteLength), itemCount }])
}

test('requests are admitted up to the budget and refused beyond it, retryably', () => {
  const { host, admit } = limiter()
  host.memory.hold(149 * mebibyte)
  assert.equal(admit(mebibyte), undefined)
  const refusal = admit(mebibyte + 1)
  assert(refusal instanceof Refusal)
  assert.equal(refusal.code, 'unavailable')
  assert.equal(refusal.message, 'data refused due to high memory usage')
  assert.equal(refusal.retryAfterMs, 1000)
  host.memory.release(mebibyte)
  assert.equal(admit(mebibyte + 1), undefined, 'admitted again as soon as there is room')
})

test('resident memory beyond the hard limit leaves a trickle until it has sunk half way to the soft limit', () => {
  const { host, admit } = limiter()
  host.memory.hold(20 * mebibyte)
  host.memory.rssBytes = 512 * mebibyte
  assert.equal(admit(1), undefined)
  host.memory.rssBytes = 512 * mebibyte + 1
  assert(admit(1) instanceof Refusal)
  host.memory.rssBytes = 456 * mebibyte + 1
  assert(admit(1) instanceof Refusal, 'still above the recovery mark')
  host.memory.rssBytes = 456 * mebibyte
  assert.equal(admit(1), undefined)
})

test('with nothing held a request goes through whatever its length and the resident memory', () => {
  const { host, admit } = limiter()
  host.memory.rssBytes = 4096 * mebibyte
  assert.equal(admit(1000 * mebibyte), undefined)
  host.memory.hold(1)
  assert.equal(admit(10 * mebibyte), undefined, 'the trickle: an eighth of the budget')
  assert(admit(19 * mebibyte) instanceof Refusal)
})

test('an admitted batch is not refused because of its own bytes', () => {
  const { host, processor } = limiter()
  const batch = batchOf(300 * mebibyte)
  host.memory.hold(batch.byteLength)
  void processor.consume(batch)
  assert.deepEqual(host.sink.batches, [batch])
})

test('a batch that did not ask at the door is refused when others hold the budget and the slack', () => {
  const { host, processor } = limiter()
  const batch = batchOf(10)
  host.memory.hold(187.5 * mebibyte + batch.byteLength)
  void processor.consume(batch)
  host.memory.hold(1)
  assert.throws(() => processor.consume(batch), { code: 'unavailable', retryAfterMs: 1000 })
  assert.equal(host.sink.batches.length, 1)
})

test('what the next component answers is passed back', async () => {
  const { host, processor } = limiter()
  host.sink.respond = refuseForNow
  assert.throws(() => processor.consume(batchOf(1)), { message: 'try later' })
  host.sink.respond = async () => refuseForNow()
  await assert.rejects(async () => processor.consume(batchOf(1)), { message: 'try later' })
})

test('items are counted under both generations of names, at the door by what was read before', () => {
  const { host, processor, admit } = limiter()
  void processor.consume(batchOf(10, 7))
  host.memory.hold(200 * mebibyte)
  assert.throws(() => processor.consume(batchOf(10, 5)))
  admit(batchOf(10, 7).byteLength * 3)
  const value = (name: string) => host.meter.value(name, { processor: 'memory_limiter' })
  assert.equal(value('otelcol_processor_memory_limiter_accepted_log_records'), 7)
  assert.equal(value('otelcol_processor_memory_limiter_refused_log_records'), 26)
  assert.equal(value('otelcol_processor_accepted_log_records'), 7)
  assert.equal(value('otelcol_processor_refused_log_records'), 26)
  assert.equal(value('otelcol_processor_dropped_log_records'), 0)
  assert.equal(value('penstock_processor_memory_limiter_refused_requests'), 1)
  assert.equal(value('penstock_processor_memory_limiter_budget_bytes'), 150 * mebibyte)
})

test('every metric it records is declared', () => {
  const declared = new Set(memoryLimiter.metrics?.map(({ name }) => name))
  assert(declared.has('otelcol_processor_memory_limiter_accepted_spans'))
  assert(declared.has('otelcol_processor_dropped_metric_points'))
  assert(!declared.has('otelcol_processor_memory_limiter_dropped_spans'))
})

test('one line is logged when refusing begins and one after a whole interval without a refusal', async () => {
  const { host, processor, admit } = limiter()
  await processor.start?.()
  const messages = () => host.lines.map(({ level, message }) => `${level} ${message}`)
  host.memory.hold(150 * mebibyte)
  for (let index = 0; index < 5; index++) admit(1)
  await host.clock.advance(999)
  admit(1)
  await host.clock.advance(1)
  assert.deepEqual(messages(), ['warn Memory usage is above the soft limit. Refusing data.'])
  await host.clock.advance(1000)
  assert.deepEqual(messages().slice(1), [
    'info Memory usage back within limits. Resuming operation.',
  ])
  await host.clock.advance(5000)
  assert.equal(host.lines.length, 2)
  await processor.stop?.(new AbortController().signal)
  assert.equal(host.clock.timerCount, 0)
})

test('a percentage follows the memory of the cgroup while running', async () => {
  const { host, processor, admit } = limiter({
    limit_mib: 0,
    spike_limit_mib: 0,
    limit_percentage: 50,
    spike_limit_percentage: 25,
  })
  await processor.start?.()
  host.memory.availableBytes = 1000 * mebibyte
  await host.clock.advance(1000)
  host.memory.hold(1)
  // soft 250, less 100 of base, halved.
  assert.equal(admit(75 * mebibyte - 1), undefined)
  assert(admit(75 * mebibyte) instanceof Refusal)
  await processor.stop?.(new AbortController().signal)
})

test('spike defaults to a fifth, and a limit near what Node needs still leaves room', () => {
  const settings = {
    limit_mib: 100,
    spike_limit_mib: 0,
    limit_percentage: 0,
    spike_limit_percentage: 0,
  }
  const limitsAt = (limit_mib: number, baseMib: number, keptMib = 0) =>
    memoryLimits(
      { ...settings, limit_mib },
      { baseBytes: baseMib * mebibyte, availableBytes: 1e12, keptBytes: keptMib * mebibyte },
    )
  assert.equal(limitsAt(1000, 100).budgetBytes, 350 * mebibyte)
  assert.equal(limitsAt(80, 100).budgetBytes, 8 * mebibyte)
  assert.equal(limitsAt(80, 100).backstopBytes, 140 * mebibyte)
  // What is kept of series is not there for telemetry on its way, and has to leave some room for it.
  assert.equal(limitsAt(1000, 100, 300).budgetBytes, 200 * mebibyte)
  assert.equal(limitsAt(1000, 100, 800).budgetBytes, 100 * mebibyte)
  assert.equal(limitsAt(1000, 100).keptBytesMax, 525 * mebibyte)
})

test('a sender that always waits its turn is never refused for good, whatever it sends', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 400 * mebibyte })),
      fc.nat(2048),
      (lengths, rss) => {
        const { host, admit } = limiter()
        host.memory.rssBytes = rss * mebibyte
        for (const byteLength of lengths) assert.equal(admit(byteLength), undefined)
      },
    ),
  )
})

test('settings are checked by the rules of the Collector', () => {
  const problemsOf = (settings: object) => {
    const parsed = memoryLimiter.config.parse(settings)
    return memoryLimiter.check!(parsed, new Set()).map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    )
  }
  const good = { check_interval: '1s', limit_mib: 100 }
  assert.deepEqual(problemsOf(good), [])
  assert.match(
    problemsOf({ ...good, check_interval: '0' })[0],
    /^check_interval must be greater than zero/,
  )
  assert.match(
    problemsOf({ check_interval: '1s' })[0],
    /^limit_mib or limit_percentage must be greater than zero$/,
  )
  assert.match(problemsOf({ ...good, spike_limit_mib: 100 })[0], /^spike_limit_mib must be smaller/)
  const shares = { check_interval: '1s', limit_percentage: 50, spike_limit_percentage: 50 }
  assert.match(problemsOf(shares)[0], /^spike_limit_percentage must be smaller/)
  assert.match(
    problemsOf({ ...good, min_gc_interval_when_hard_limited: '11s' })[0],
    /^min_gc_interval_when_soft_limited/,
  )
  assert(!memoryLimiter.config.safeParse({ ...good, limit_percentage: 101 }).success)
  assert(!memoryLimiter.config.safeParse({ ...good, limit_gib: 1 }).success)
})
