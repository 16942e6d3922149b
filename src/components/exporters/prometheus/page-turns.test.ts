import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PageTurns } from './page-turns.ts'

test('pages go on one at a time, in the order in which they came, however many wait', async () => {
  const turns = new PageTurns()
  let loopCount = 0
  let isOver = false
  const count = () => {
    loopCount++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const seen: [page: number, loop: number][] = []
  const page = async (number: number) => {
    for (let round = 0; round < 2; round++) {
      await turns.next()
      seen.push([number, loopCount])
    }
  }
  await Promise.all([1, 2, 3].map(page))
  isOver = true
  assert.deepEqual(
    seen.map(([number]) => number),
    [1, 2, 3, 1, 2, 3],
  )
  assert.equal(new Set(seen.map(([, loop]) => loop)).size, 6)
})
