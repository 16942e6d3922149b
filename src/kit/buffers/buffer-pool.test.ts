import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BufferPool } from './buffer-pool.ts'

const mebibyte = 1024 * 1024

describe('buffer pool', () => {
  it('lends the same memory again once it was released, and not before', () => {
    const pool = new BufferPool()
    const first = pool.take(mebibyte)
    const second = pool.take(mebibyte)
    assert.notEqual(second.bytes.buffer, first.bytes.buffer)
    first.release()
    const third = pool.take(mebibyte - 1000)
    assert.equal(third.bytes.buffer, first.bytes.buffer)
    assert.equal(third.bytes.length, mebibyte - 1000)
  })

  it('does not lend what is too short', () => {
    const pool = new BufferPool()
    const short = pool.take(mebibyte)
    short.release()
    const long = pool.take(2 * mebibyte)
    assert.notEqual(long.bytes.buffer, short.bytes.buffer)
    assert.equal(long.bytes.length, 2 * mebibyte)
  })

  it('keeps 16 MiB at most while nobody needs them', () => {
    const pool = new BufferPool()
    const leases = Array.from({ length: 10 }, () => pool.take(3 * mebibyte))
    for (const lease of leases) lease.release()
    const known = new Set(leases.map((lease) => lease.bytes.buffer))
    const again = Array.from({ length: 10 }, () => pool.take(3 * mebibyte))
    assert.equal(again.filter((lease) => known.has(lease.bytes.buffer)).length, 4)
    pool.take(20 * mebibyte).release()
    assert.equal(pool.take(5 * mebibyte).bytes.length, 5 * mebibyte)
  })

  it('lends nothing to small bodies', () => {
    const pool = new BufferPool()
    const small = pool.take(1000)
    small.release()
    assert.equal(small.bytes.length, 1000)
  })
})
