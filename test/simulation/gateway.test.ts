/**
 * Whole gateways under faults, a seed each. SIMULATION_SEED=7 runs that one again; SIMULATION_SEEDS=5000 runs so many.
 */
import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { simulate } from './simulate.ts'

const { SIMULATION_SEED: only, SIMULATION_SEEDS: count = '20' } = process.env
const seeds =
  only === undefined
    ? Array.from({ length: Number(count) }, (_, index) => index + 1)
    : [Number(only)]

/** What happened in any of them. */
const met = new Set<string>()

for (const seed of seeds) {
  test(`seed ${seed}: nothing acknowledged is lost, nothing is made up, limits hold`, async () => {
    const { acknowledged, source, counters } = await simulate(seed)
    assert.ok(acknowledged.size > 0)
    for (const cause of counters.labels('penstock_dropped_items', 'cause')) met.add(cause)
    if (source.tally.refusedItems > 0) met.add('refused after reading')
    if (counters.sum('penstock_receiver_refused_unread_items') > 0) met.add('refused at the door')
    if (source.tally.malformed > 0) met.add('malformed')
  })
}

// Fewer are too few to meet everything.
if (seeds.length >= 20) {
  test('the gateways have met all that can befall them', () => {
    const all = [
      'batch_send_failed',
      'malformed',
      'permanent_error',
      'refused after reading',
      'refused at the door',
      'rejected_by_peer',
      'retries_exhausted',
      'shutdown',
    ]
    assert.deepEqual(
      [...met].sort((a, b) => a.localeCompare(b)),
      all,
    )
  })
}
