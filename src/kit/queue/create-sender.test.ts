import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { settle } from '../../../test/kit/manual-clock.ts'
import { countedSpans, spanNames, spansBatch } from '../../../test/kit/spans.ts'
import { testHost } from '../../../test/kit/test-host.ts'
import { Batch } from '../../otlp/batch.ts'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { Refusal } from '../../otlp/refusal.ts'
import { retryOnFailure } from '../retry/retry-settings.ts'
import { createSender } from './create-sender.ts'
import type { Send } from './delivery.ts'
import { sendingQueue } from './queue-settings.ts'

interface Options {
  readonly queue?: object
  readonly retry?: object
  readonly timeoutMs?: number
  readonly send?: Send
}

const never = new AbortController().signal

function start({ queue = {}, retry = {}, timeoutMs = 5000, send }: Options = {}) {
  const host = testHost({ id: 'peer' })
  const sent: Batch[] = []
  const sender = createSender({
    host,
    timeoutMs,
    retry: retryOnFailure().parse({ randomization_factor: 0, ...retry }),
    queue: sendingQueue().parse(queue),
    send: send ?? (async (batch) => void sent.push(batch)),
  })
  const metric = (name: string) =>
    host.meter.value(`otelcol_exporter_${name}`, { exporter: 'peer' })
  const gauge = (name: string) =>
    host.meter.value(`otelcol_exporter_${name}`, { exporter: 'peer', data_type: 'traces' })
  return { host, sender, sent, metric, gauge }
}

/** A peer that answers when told to. */
function slowPeer() {
  const open: { batch: Batch; take: () => void; refuse: (refusal: Refusal) => void }[] = []
  const send: Send = (batch) =>
    new Promise((resolve, reject) => open.push({ batch, take: () => resolve(), refuse: reject }))
  return { open, send }
}

const tryLater = new Refusal('unavailable', 'try later')
const tooLarge = new Refusal('too_large', 'too large')

describe('sender with a queue', () => {
  it('answers at once, sends in the background and counts what arrived', async () => {
    const { open, send } = slowPeer()
    const { host, sender, metric, gauge } = start({ send })
    const batch = countedSpans(3)
    assert.equal(sender.consume(batch), undefined)
    assert.deepEqual([gauge('queue_size'), gauge('queue_capacity')], [1, 1000])
    assert.equal(gauge('in_flight_requests'), 1)
    assert.equal(host.memory.heldBytes, batch.byteLength)
    open[0].take()
    await settle()
    assert.deepEqual([metric('sent_spans'), metric('send_failed_spans')], [3, 0])
    assert.deepEqual([gauge('queue_size'), gauge('in_flight_requests')], [0, 0])
    assert.equal(host.memory.heldBytes, 0)
    assert.equal(host.clock.timerCount, 0)
  })

  it('sends num_consumers requests at once and the rest in order', async () => {
    const { open, send } = slowPeer()
    const { sender } = start({ send, queue: { num_consumers: 2 } })
    for (const name of ['a', 'b', 'c', 'd']) void sender.consume(spansBatch([name]))
    assert.equal(open.length, 2)
    open[1].take()
    await settle()
    assert.deepEqual(
      open.map(({ batch }) => spanNames(batch)[0]),
      ['a', 'b', 'c'],
    )
  })

  it('ignores a batch without items', () => {
    const { sender, gauge } = start()
    assert.equal(sender.consume(new Batch('traces', [])), undefined)
    assert.equal(gauge('queue_size'), 0)
  })

  it('refuses retryably when full, what is being sent included', async () => {
    const { open, send } = slowPeer()
    const { sender, metric, host } = start({ send, queue: { queue_size: 2 } })
    void sender.consume(countedSpans(1))
    void sender.consume(countedSpans(1))
    assert.throws(
      () => sender.consume(countedSpans(4)),
      (error: Refusal) => error.retryable && error.message === 'sending queue is full',
    )
    assert.equal(metric('enqueue_failed_spans'), 4)
    assert.deepEqual(host.drops, [])
    const line = host.lines.at(-1)!
    assert.equal(line.message, 'Exporting failed. Rejecting data.')
    assert.deepEqual(line.fields, { error: 'sending queue is full', rejected_items: 4 })
    open[0].take()
    await settle()
    assert.equal(sender.consume(countedSpans(4)), undefined)
  })

  it('counts its capacity by items or bytes', async () => {
    const { open, send } = slowPeer()
    const items = start({ send, queue: { sizer: 'items', queue_size: 10 } })
    void items.sender.consume(countedSpans(7))
    assert.throws(() => items.sender.consume(countedSpans(4)), /sending queue is full/)
    void items.sender.consume(countedSpans(3))
    assert.equal(items.gauge('queue_size'), 10)
    open[0].take()
    await settle()
    assert.equal(items.gauge('queue_size'), 3)

    const { byteLength } = countedSpans(7)
    const bytes = start({ send, queue: { sizer: 'bytes', queue_size: byteLength } })
    void bytes.sender.consume(countedSpans(7))
    assert.equal(bytes.gauge('queue_size'), byteLength)
    assert.throws(() => bytes.sender.consume(countedSpans(1)), /sending queue is full/)
  })

  it('refuses for good what is larger than the whole queue', () => {
    const { sender, metric } = start({ queue: { sizer: 'items', queue_size: 10 } })
    assert.throws(
      () => sender.consume(countedSpans(11)),
      (error: Refusal) =>
        error.code === 'too_large' && /11 items, queue_size is 10/.test(error.message),
    )
    assert.equal(metric('enqueue_failed_spans'), 11)
  })

  it('lets callers wait for room with block_on_overflow, in their order', async () => {
    const { open, send } = slowPeer()
    const { host, sender } = start({ send, queue: { queue_size: 1, block_on_overflow: true } })
    void sender.consume(spansBatch(['a']))
    const order: string[] = []
    const waiting = ['b', 'c'].map(async (name) => {
      await sender.consume(spansBatch([name]))
      order.push(name)
    })
    await settle()
    assert.deepEqual(order, [])
    assert.equal(host.memory.heldBytes, open[0].batch.byteLength)
    open[0].take()
    await settle()
    assert.deepEqual(order, ['b'])
    open[1].take()
    await Promise.all(waiting)
    assert.deepEqual(order, ['b', 'c'])
  })

  it('lets nobody pass those who wait, and no more than 4096 wait', async () => {
    const { open, send } = slowPeer()
    const queue = { sizer: 'items', queue_size: 5, block_on_overflow: true }
    const { sender, gauge } = start({ send, queue })
    void sender.consume(countedSpans(4))
    const large = sender.consume(countedSpans(3))
    const small = sender.consume(countedSpans(1))
    assert.equal(gauge('queue_size'), 4, 'the small one would fit, but waits its turn')
    open[0].take()
    await Promise.all([large, small])
    assert.equal(gauge('queue_size'), 4)
    const waiting = Array.from({ length: 4096 }, async () => sender.consume(countedSpans(2)))
    await settle()
    assert.throws(() => sender.consume(countedSpans(2)), /sending queue is full/)
    const refused = Promise.allSettled(waiting)
    const stopped = sender.stop(AbortSignal.abort())
    const results = await refused
    assert.ok(results.every((result) => result.status === 'rejected'))
    await stopped
  })

  it('answers only once delivered with wait_for_result, and passes the failure on', async () => {
    const { open, send } = slowPeer()
    const { host, sender, metric } = start({ send, queue: { wait_for_result: true } })
    const results = [sender.consume(countedSpans(1)), sender.consume(countedSpans(2))]
    assert.equal(host.memory.heldBytes, 0)
    open[0].take()
    open[1].refuse(new Refusal('invalid', 'bad'))
    await results[0]
    await assert.rejects(Promise.resolve(results[1]), { message: 'bad' })
    assert.deepEqual([metric('sent_spans'), metric('send_failed_spans')], [1, 2])
    assert.deepEqual(host.drops, [])
  })

  it('drops what is refused for good, or when retries are exhausted, and names the cause', async () => {
    const answers = [new Refusal('invalid', 'bad'), tryLater]
    const { host, sender, metric } = start({
      retry: { enabled: false },
      send: async () => {
        throw answers.shift()!
      },
    })
    void sender.consume(countedSpans(2))
    void sender.consume(countedSpans(3))
    await host.clock.advance(1000)
    assert.deepEqual(host.drops, [
      { signal: 'traces', itemCount: 2, cause: 'permanent_error' },
      { signal: 'traces', itemCount: 3, cause: 'retries_exhausted' },
    ])
    assert.equal(metric('send_failed_spans'), 5)
    const dropping = host.lines.filter(
      (line) => line.message === 'Exporting failed. Dropping data.',
    )
    // The second within a second is held back, and its items are in the next line.
    assert.deepEqual(
      dropping.map((line) => line.fields),
      [
        { error: 'bad', dropped_items: 2 },
        { error: 'try later', dropped_items: 3 },
      ],
    )
  })

  it('ends an attempt after the timeout and tries again', async () => {
    const aborted: unknown[] = []
    let attempts = 0
    const { host, sender, metric } = start({
      send: (_, abort) => {
        if (++attempts === 2) return Promise.resolve()
        abort.addEventListener('abort', () => aborted.push(abort.reason))
        return new Promise(() => {})
      },
    })
    void sender.consume(countedSpans(1))
    await host.clock.advance(5000)
    assert.match(String(aborted[0]), /no answer within 5000 ms/)
    await host.clock.advance(5000)
    assert.equal(metric('sent_spans'), 1)
    await host.clock.advance(1000)
    assert.equal(host.clock.timerCount, 0)
  })

  it('counts what the peer took only in part, and says so', async () => {
    const { host, sender, metric } = start({
      send: async () => ({ rejectedItemCount: 2, message: 'too old' }),
    })
    void sender.consume(countedSpans(5))
    await settle()
    assert.deepEqual([metric('sent_spans'), metric('send_failed_spans')], [3, 2])
    assert.deepEqual(host.drops, [{ signal: 'traces', itemCount: 2, cause: 'rejected_by_peer' }])
    assert.deepEqual(host.lines[0].fields, { message: 'too old', dropped_items: 2 })
    assert.equal(host.lines[0].level, 'warn')
  })

  it('believes no peer that rejects more than it was sent', async () => {
    const { host, sender, metric } = start({
      send: async () => ({ rejectedItemCount: 99, message: '' }),
    })
    void sender.consume(countedSpans(5))
    await settle()
    assert.deepEqual([metric('sent_spans'), metric('send_failed_spans')], [0, 5])
    assert.equal(host.drops[0].itemCount, 5)
  })

  it('cuts what is too large in halves until the peer takes them, and drops only the item it never takes', async () => {
    const arrived: string[] = []
    const { host, sender, metric } = start({
      send: async (batch) => {
        const names = spanNames(batch)
        if (names.includes('s5') || names.length > 4) throw tooLarge
        arrived.push(...names)
      },
    })
    void sender.consume(countedSpans(16))
    await settle()
    const others = Array.from({ length: 16 }, (_, index) => `s${index}`).filter((n) => n !== 's5')
    assert.deepEqual(arrived, others)
    assert.deepEqual(host.drops, [{ signal: 'traces', itemCount: 1, cause: 'permanent_error' }])
    assert.deepEqual([metric('sent_spans'), metric('send_failed_spans')], [15, 1])
  })

  it('stops cutting a batch when its size is not what the peer minds', async () => {
    let attempts = 0
    const { host, sender } = start({
      send: async () => {
        attempts++
        throw tooLarge
      },
    })
    void sender.consume(countedSpans(1000))
    await host.clock.advance(0)
    assert.ok(attempts <= 300, `${attempts} attempts`)
    assert.equal(
      host.drops.reduce((sum, drop) => sum + drop.itemCount, 0),
      1000,
    )
  })
})

describe('sender with a queue that batches', () => {
  it('sends once min_size is there, as one request', async () => {
    const { sender, sent, gauge, host } = start({ queue: { batch: { min_size: 5 } } })
    for (const name of ['a', 'b', 'c']) void sender.consume(spansBatch([name, name]))
    await settle()
    assert.deepEqual(sent.map(spanNames), [['a', 'a', 'b', 'b', 'c', 'c']])
    assert.equal(gauge('queue_size'), 0)
    assert.equal(host.memory.heldBytes, 0)
    assert.equal(host.clock.timerCount, 0)
    const sizes = (name: string) =>
      host.meter.records.get(`otelcol_exporter_${name}{exporter="peer"}`)
    assert.deepEqual(sizes('enqueue_size'), [2, 2, 2])
    assert.deepEqual(sizes('queue_batch_send_size'), [6])
    const taken = sizes('enqueue_size_bytes')!
    assert.deepEqual(taken, Array(3).fill(spansBatch(['a', 'a']).byteLength))
    assert.deepEqual(sizes('queue_batch_send_size_bytes'), [sent[0].byteLength])
  })

  it('sends what there is flush_timeout after the first item', async () => {
    const { host, sender, sent, gauge } = start({ queue: { batch: {} } })
    void sender.consume(spansBatch(['a']))
    await host.clock.advance(150)
    void sender.consume(spansBatch(['b']))
    await host.clock.advance(49)
    assert.equal(sent.length, 0)
    assert.equal(gauge('queue_size'), 2)
    await host.clock.advance(1)
    assert.deepEqual(sent.map(spanNames), [['a', 'b']])
  })

  it('never sends more than max_size items and keeps the rest for the next', async () => {
    const { host, sender, sent, gauge } = start({
      queue: { batch: { min_size: 4, max_size: 4 } },
    })
    void sender.consume(countedSpans(3, 'a'))
    void sender.consume(countedSpans(7, 'b'))
    await settle()
    assert.deepEqual(sent.map(spanNames), [
      ['a0', 'a1', 'a2', 'b0'],
      ['b1', 'b2', 'b3', 'b4'],
    ])
    assert.equal(gauge('queue_size'), 1, 'the second batch is not done')
    await host.clock.advance(200)
    assert.deepEqual(spanNames(sent[2]), ['b5', 'b6'])
    assert.equal(gauge('queue_size'), 0)
    assert.equal(host.memory.heldBytes, 0)
  })

  it('never sends more than max_size bytes', async () => {
    const maxBytes = countedSpans(10).byteLength
    const { host, sender, sent, metric } = start({
      queue: { batch: { sizer: 'bytes', min_size: 50, max_size: maxBytes } },
    })
    void sender.consume(countedSpans(95))
    await host.clock.advance(200)
    assert.ok(sent.length >= 10)
    assert.ok(sent.every((batch) => batch.byteLength <= maxBytes))
    assert.equal(metric('sent_spans'), 95)
  })

  it('keeps clients apart by the metadata it is told, and passes on nothing else of them', async () => {
    const { host, sender, sent } = start({
      queue: { batch: { min_size: 2, partition: { metadata_keys: ['X-Tenant'] } } },
    })
    void sender.consume(spansBatch(['a1'], client('red', '10.0.0.1')))
    void sender.consume(spansBatch(['b1'], client('blue', '10.0.0.2')))
    void sender.consume(spansBatch(['a2'], client('red', '10.0.0.3')))
    await host.clock.advance(200)
    assert.deepEqual(sent.map(spanNames), [['a1', 'a2'], ['b1']])
    assert.deepEqual([...sent[0].client!.metadata], [['x-tenant', ['red']]])
    assert.equal(sent[0].client!.address, '')
  })

  it('forgets whose data it was when it merges clients without telling them apart', async () => {
    const { sender, sent } = start({ queue: { batch: { min_size: 2 } } })
    void sender.consume(spansBatch(['a'], client('red', '10.0.0.1')))
    void sender.consume(spansBatch(['b'], client('blue', '10.0.0.2')))
    await settle()
    assert.equal(sent[0].client, undefined)
  })

  it('tells each waiting caller what became of all its items', async () => {
    const { sender, host } = start({
      retry: { enabled: false },
      queue: { wait_for_result: true, batch: { min_size: 4, max_size: 4 } },
      send: async (batch) => {
        if (spanNames(batch).includes('b6')) throw tryLater
      },
    })
    const results = [sender.consume(countedSpans(3, 'a')), sender.consume(countedSpans(7, 'b'))]
    const failed = assert.rejects(Promise.resolve(results[1]), { message: 'try later' })
    await results[0]
    await host.clock.advance(200)
    await failed
    assert.deepEqual(host.drops, [])
  })
})

describe('stopping a sender', () => {
  it('sends all it holds, batches that are forming included, and then refuses', async () => {
    const { sender, sent, host } = start({ queue: { batch: {} } })
    void sender.consume(spansBatch(['a']))
    await sender.stop(never)
    assert.deepEqual(sent.map(spanNames), [['a']])
    assert.throws(() => sender.consume(countedSpans(1)), { code: 'unavailable' })
    assert.equal(host.clock.timerCount, 0)
  })

  it('tries what waits for a retry once more, and drops it by name when that fails', async () => {
    let attempts = 0
    const { sender, host, gauge } = start({
      send: async () => {
        attempts++
        throw tryLater
      },
    })
    void sender.consume(countedSpans(3))
    await settle()
    await sender.stop(never)
    assert.equal(attempts, 2)
    assert.deepEqual(host.drops, [{ signal: 'traces', itemCount: 3, cause: 'shutdown' }])
    assert.equal(gauge('queue_size'), 0)
    assert.equal(host.memory.heldBytes, 0)
    assert.equal(host.clock.timerCount, 0)
  })

  it('ends at the deadline and counts what is left, also when the peer never answers', async () => {
    const { open, send } = slowPeer()
    const { sender, host, gauge } = start({ send, timeoutMs: 0, queue: { num_consumers: 1 } })
    for (let round = 0; round < 3; round++) void sender.consume(countedSpans(2))
    const deadline = new AbortController()
    const stopped = sender.stop(deadline.signal)
    await settle()
    deadline.abort()
    await stopped
    assert.equal(open.length, 1)
    assert.deepEqual(
      host.drops.map(({ itemCount, cause }) => [itemCount, cause]),
      [
        [2, 'shutdown'],
        [2, 'shutdown'],
        [2, 'shutdown'],
      ],
    )
    assert.equal(gauge('queue_size'), 0)
    const items = host.lines
      .filter((line) => line.message === 'Exporting failed. Dropping data.')
      .map((line) => (line.fields as { dropped_items: number }).dropped_items)
    assert.equal(
      items.reduce((sum, count) => sum + count, 0),
      6,
    )
  })

  it('refuses those who wait for room', async () => {
    const { open, send } = slowPeer()
    const { sender, metric } = start({ send, queue: { queue_size: 1, block_on_overflow: true } })
    void sender.consume(countedSpans(1))
    const waiting = assert.rejects(Promise.resolve(sender.consume(countedSpans(2))), {
      code: 'unavailable',
    })
    const stopped = sender.stop(never)
    await waiting
    assert.equal(metric('enqueue_failed_spans'), 2)
    open[0].take()
    await stopped
  })
})

describe('sender without a queue', () => {
  const queue = { enabled: false }

  it('answers once delivered, retries included', async () => {
    const answers = [tryLater]
    const { host, sender, metric } = start({
      queue,
      send: async () => {
        const refusal = answers.shift()
        if (refusal !== undefined) throw refusal
      },
    })
    let isDone = false
    const result = Promise.resolve(sender.consume(countedSpans(2))).then(() => (isDone = true))
    await host.clock.advance(4999)
    assert.equal(isDone, false)
    await host.clock.advance(1)
    await result
    assert.equal(metric('sent_spans'), 2)
  })

  it('leaves what fails to the caller: it is no drop', async () => {
    const { host, sender, metric } = start({
      queue,
      send: async () => {
        throw new Refusal('permission_denied', 'no')
      },
    })
    await assert.rejects(Promise.resolve(sender.consume(countedSpans(2))), {
      code: 'permission_denied',
    })
    assert.deepEqual(host.drops, [])
    assert.equal(metric('send_failed_spans'), 2)
    assert.equal(host.lines[0].message, 'Exporting failed. Rejecting data.')
  })

  it('takes the duty for the part of a cut batch that was refused for good', async () => {
    const { host, sender } = start({
      queue,
      send: async (batch) => {
        if (batch.itemCount > 1 || spanNames(batch)[0] === 's0') throw tooLarge
      },
    })
    await sender.consume(countedSpans(2))
    assert.deepEqual(host.drops, [{ signal: 'traces', itemCount: 1, cause: 'permanent_error' }])
  })

  it('waits at stop for what is under way', async () => {
    const { open, send } = slowPeer()
    const { sender } = start({ queue, send })
    const result = sender.consume(countedSpans(1))
    const stopped = sender.stop(never)
    open[0].take()
    await stopped
    await result
    assert.throws(() => sender.consume(countedSpans(1)), { code: 'unavailable' })
  })
})

function client(tenant: string, address: string): ClientInfo {
  return {
    address,
    metadata: new Map([
      ['x-tenant', [tenant]],
      ['authorization', ['secret']],
    ]),
    auth: new Map(),
  }
}
