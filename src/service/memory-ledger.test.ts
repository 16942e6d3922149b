import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../test/kit/manual-clock.ts'
import type { ProcessUsage } from '../platform/platform.ts'
import { ProcessLedger } from './memory-ledger.ts'

test('the last figure stands while the resident set cannot be read', async () => {
  const clock = new ManualClock()
  let rssBytes = (): number => 7
  const usage = { rssBytes: () => rssBytes(), availableBytes: () => 1000 } as ProcessUsage
  const ledger = new ProcessLedger(clock, usage)
  rssBytes = () => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  }
  await clock.advance(1000)
  assert.equal(ledger.rssBytes, 7)
  rssBytes = () => 9
  await clock.advance(1000)
  assert.equal(ledger.rssBytes, 9)
  ledger.close()
})

test('the least limit of kept bytes counts, and half of the memory without any', () => {
  const usage = { rssBytes: () => 7, availableBytes: () => 1000 } as ProcessUsage
  const ledger = new ProcessLedger(new ManualClock(), usage)
  assert.equal(ledger.keptBytesMax, 500)
  const [one, other] = [{}, {}]
  ledger.limitKept(one, 300)
  ledger.limitKept(other, 400)
  assert.equal(ledger.keptBytesMax, 300)
  ledger.limitKept(one, undefined)
  assert.equal(ledger.keptBytesMax, 400)
  ledger.limitKept(other, undefined)
  assert.equal(ledger.keptBytesMax, 500)
  ledger.close()
})
