import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { nodeClock, nodePlatform } from './node-platform.ts'

/** The longest delay that Node keeps to: beyond it a timer fires after a millisecond. */
const timerMsMax = 2 ** 31 - 1

/** Runs `use` with timers that only tell what they were set to, and are fired by hand. */
function withTimers(use: (set: { delayMs: number; fire: () => void }[]) => void): void {
  const set: { delayMs: number; fire: () => void }[] = []
  const record = (fire: () => void, delayMs: number) => {
    set.push({ delayMs, fire })
    return { unref: () => ({}) }
  }
  const mocks = [
    mock.method(globalThis, 'setTimeout', record as never),
    mock.method(globalThis, 'setInterval', record as never),
  ]
  try {
    use(set)
  } finally {
    for (const each of mocks) each.mock.restore()
  }
}

test('a wait longer than a timer of Node can be is kept to in parts', () => {
  withTimers((set) => {
    let firedCount = 0
    nodeClock.after(timerMsMax * 2 + 5, () => firedCount++)
    for (let index = 0; index < set.length; index++) {
      assert.equal(firedCount, 0)
      set[index].fire()
    }
    assert.deepEqual(
      set.map(({ delayMs }) => delayMs),
      [timerMsMax, timerMsMax, 5],
    )
    assert.equal(firedCount, 1)
  })
})

test('a wait without end is never over', () => {
  withTimers((set) => {
    nodeClock.after(Infinity, () => assert.fail('it is over'))
    for (let part = 0; part < 5; part++) set[part].fire()
    assert.equal(set[5].delayMs, timerMsMax)
  })
})

test('what is to happen every month happens no more often than a timer can wait', () => {
  withTimers((set) => {
    nodeClock.every(30 * 86_400_000, () => {})
    assert.equal(set[0].delayMs, timerMsMax)
  })
})

test('collections are told with their kind and duration until the watch ends', async () => {
  const seen: string[] = []
  const end = nodePlatform.usage.watchCollections((kind, seconds) => {
    seen.push(kind)
    assert.ok(seconds > 0 && seconds < 10)
  })
  while (seen.length === 0) {
    // Garbage, until the young generation is collected.
    Array.from({ length: 100_000 }, (_, index) => ({ index }))
    await new Promise((resolve) => setImmediate(resolve))
  }
  end()
  assert.match(seen[0], /^(minor|major|incremental)$/)
})
