import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sendingQueue } from './queue-settings.ts'

const batchDefaults = {
  enabled: true,
  flush_timeout: 200,
  min_size: 8192,
  max_size: 0,
  sizer: 'items',
  partition: { metadata_keys: [] },
}

describe('sending_queue', () => {
  it("has the Collector's defaults, without batching", () => {
    assert.deepEqual(sendingQueue().parse(undefined), {
      enabled: true,
      num_consumers: 10,
      queue_size: 1000,
      sizer: 'requests',
      block_on_overflow: false,
      wait_for_result: false,
      batch: undefined,
    })
  })

  it('can be off by default', () => {
    assert.equal(sendingQueue({ isOnByDefault: false }).parse(null).enabled, false)
  })

  it('turns batching on for an empty batch section, written either way', () => {
    assert.deepEqual(sendingQueue().parse({ batch: null }).batch, batchDefaults)
    assert.deepEqual(sendingQueue().parse({ batch: {} }).batch, batchDefaults)
    assert.equal(sendingQueue().parse({ batch: { enabled: false } }).batch, undefined)
  })

  it("gives the batch the queue's sizer when it has none of its own", () => {
    const bytes = { sizer: 'bytes', queue_size: 1e6 }
    assert.equal(sendingQueue().parse({ ...bytes, batch: {} }).batch?.sizer, 'bytes')
    const own = { ...bytes, batch: { sizer: 'items' } }
    assert.equal(sendingQueue().parse(own).batch?.sizer, 'items')
  })

  const broken: [settings: object, path: string][] = [
    [{ num_consumers: 0 }, 'num_consumers'],
    [{ queue_size: 0 }, 'queue_size'],
    [{ sizer: 'spans' }, 'sizer'],
    [{ storage: 'file_storage' }, 'storage'],
    [{ batch: { sizer: 'requests' } }, 'batch.sizer'],
    [{ batch: { flush_timeout: '0' } }, 'batch.flush_timeout'],
    [{ batch: { max_size: 10, min_size: 11 } }, 'batch.max_size'],
    [{ sizer: 'items', queue_size: 100, batch: {} }, 'batch.min_size'],
    [{ batch: { partition: { metadata_keys: ['a', 'b', 'A'] } } }, 'batch.partition.metadata_keys'],
    [{ batch: { min_size_items: 1 } }, 'batch.min_size_items'],
    [{ batch: { min: 1 } }, 'batch'],
    [{ blocking: true }, 'blocking'],
    [{ block: true }, ''],
  ]
  for (const [settings, path] of broken) {
    it(`refuses ${JSON.stringify(settings)}`, () => {
      const issues = sendingQueue().safeParse(settings).error?.issues ?? []
      assert.ok(issues.some((issue) => issue.path.join('.') === path))
    })
  }

  it('compares min_size with queue_size only in one unit', () => {
    sendingQueue().parse({ queue_size: 100, batch: {} })
    sendingQueue().parse({ sizer: 'items', queue_size: 8192, batch: {} })
  })
})
