import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { spanNames, spansBatch } from '../../../test/kit/spans.ts'
import { testHost } from '../../../test/kit/test-host.ts'
import { Refusal } from '../../otlp/refusal.ts'
import { retryOnFailure } from '../retry/retry-settings.ts'
import { createSender } from './create-sender.ts'
import { sendingQueue } from './queue-settings.ts'

const answers = ['take', 'take', 'for now', 'for good', 'too large', 'part', 'never'] as const

const plans = fc.record({
  batchSizes: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 }),
  gapsMs: fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 12, maxLength: 12 }),
  answers: fc.array(fc.constantFrom(...answers), { minLength: 1, maxLength: 20 }),
  isRetrying: fc.boolean(),
  elapsedMsMax: fc.constantFrom(0, 31_000),
  queue: fc.constantFrom<Record<string, unknown>>(
    { enabled: false },
    {},
    { queue_size: 3, num_consumers: 1 },
    { queue_size: 2, block_on_overflow: true, num_consumers: 1 },
    { wait_for_result: true },
    { batch: { min_size: 6 } },
    { batch: { min_size: 4, max_size: 4 }, queue_size: 4 },
    { batch: { min_size: 4, max_size: 5 }, wait_for_result: true },
    { sizer: 'items', queue_size: 12, num_consumers: 2, batch: { min_size: 3, max_size: 4 } },
    { batch: { sizer: 'bytes', min_size: 60, max_size: 150 } },
  ),
  stopAfterMs: fc.integer({ min: 0, max: 60_000 }),
})

it('every item is delivered, dropped by a named cause or refused, whatever the peer answers', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const host = testHost({ id: 'peer', signals: ['traces'] })
      const arrived = new Set<string>()
      let arrivals = 0
      let next = 0
      const sender = createSender({
        host,
        timeoutMs: 2000,
        retry: retryOnFailure().parse({
          enabled: plan.isRetrying,
          max_elapsed_time: `${plan.elapsedMsMax}ms`,
        }),
        queue: sendingQueue().parse(plan.queue),
        send: async (batch) => {
          const answer = plan.answers[next++ % plan.answers.length]
          if (answer === 'for now') throw new Refusal('unavailable', answer)
          if (answer === 'for good') throw new Refusal('invalid', answer)
          if (answer === 'too large') throw new Refusal('too_large', answer)
          if (answer === 'never') return new Promise(() => {})
          const names = spanNames(batch)
          const rejectedItemCount = answer === 'part' ? 1 : 0
          for (const name of names.slice(rejectedItemCount)) arrived.add(name)
          arrivals += names.length - rejectedItemCount
          return { rejectedItemCount, message: '' }
        },
      })
      const offered = new Set<string>()
      const refused = new Set<string>()
      const results: Promise<void>[] = []
      for (const [index, size] of plan.batchSizes.entries()) {
        const names = Array.from({ length: size }, (_, item) => `${index}-${item}`)
        for (const name of names) offered.add(name)
        const consume = async () => sender.consume(spansBatch(names))
        const refuse = () => names.forEach((name) => refused.add(name))
        results.push(consume().catch(refuse))
        await host.clock.advance(plan.gapsMs[index])
      }
      await host.clock.advance(plan.stopAfterMs)
      const deadline = new AbortController()
      const stopped = sender.stop(deadline.signal)
      await host.clock.advance(1000)
      deadline.abort()
      await stopped
      await Promise.all(results)

      const dropped = host.drops.reduce((sum, drop) => sum + drop.itemCount, 0)
      const settled = [...offered].filter((name) => arrived.has(name) || refused.has(name)).length
      // A caller that waits is refused a whole batch, also when another part of it arrived or was rejected.
      const isWaiting = plan.queue.enabled === false || plan.queue.wait_for_result === true
      if (isWaiting) assert.ok(settled + dropped >= offered.size)
      else assert.equal(settled + dropped, offered.size)
      assert.ok([...arrived].every((name) => offered.has(name)))
      assert.equal(arrivals, arrived.size, 'nothing was sent again after it was taken')
      const value = (verb: string) =>
        host.meter.value(`otelcol_exporter_${verb}_spans`, { exporter: 'peer' }) ?? 0
      assert.equal(value('sent'), arrivals)
      assert.equal(value('sent') + value('send_failed') + value('enqueue_failed'), offered.size)
      assert.equal(host.memory.heldBytes, 0)
      assert.equal(host.clock.timerCount, 0)
    }),
    { numRuns: 60 },
  )
})
