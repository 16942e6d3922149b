import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Label, sortedLabels } from '../../../kit/prometheus/labels.ts'
import { LabelPool } from './label-pool.ts'
import { RetiredLabels } from './retired-labels.ts'

const owner = {
  shard: 0,
  isGone: false,
  hasLoggedRejection: false,
  newestMs: -1,
  committedMs: -1,
}
const label = (name: string, value: string): Label => ({ name, value })

const labelSet = fc
  .dictionary(
    fc.constantFrom('a', 'b', '__name__', 'c'.repeat(130)),
    fc.oneof(fc.string({ minLength: 1, maxLength: 3 }), fc.constant('ü'.repeat(90))),
    { maxKeys: 4 },
  )
  .map((set) => sortedLabels(new Map(Object.entries(set))))

function countAll({ labels, sets, texts }: LabelPool): number {
  return labels.count + sets.count + texts.count
}

describe('label pool', () => {
  it('gives equal labels one set and different ones different sets, until the last user has gone', () => {
    fc.assert(
      fc.property(fc.array(labelSet, { maxLength: 30 }), fc.integer(), (all, seed) => {
        const pool = new LabelPool(seed)
        const taken = new Map<string, number>()
        const users: number[] = []
        for (const [index, labels] of all.entries()) {
          const key = JSON.stringify(labels)
          const set = pool.take(labels)
          assert.equal(taken.get(key) ?? set, set)
          taken.set(key, set)
          users.push(set)
          // Texts are for 2.0 and made when they are asked for.
          if (index % 2 === 0) for (const id of pool.ids(set)) pool.textsOf(id)
        }
        assert.equal(new Set(taken.values()).size, taken.size)
        for (const [key, set] of taken) assert.deepEqual(pool.read(set), JSON.parse(key))
        for (const set of users) pool.release(set)
        assert.equal(countAll(pool), 0)
      }),
    )
  })

  it('gives labels what they are after others have gone', () => {
    const turn = fc.record({ labels: labelSet, goneCount: fc.nat(2) })
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 30 }), fc.integer(), (turns, seed) => {
        const pool = new LabelPool(seed)
        const users: { set: number; labels: readonly Label[] }[] = []
        for (const { labels, goneCount } of turns) {
          users.push({ set: pool.take(labels), labels })
          for (const { set } of users.splice(0, goneCount)) pool.release(set)
          for (const user of users) assert.deepEqual(pool.read(user.set), user.labels)
        }
      }),
    )
  })

  it('keeps a set in its shard, and gives each shard its turn', () => {
    const pool = new LabelPool(1)
    const sets = Array.from({ length: 1000 }, (_, at) => pool.take([label('pod', String(at))]))
    const shards = sets.map((set) => pool.shard([set], 3))
    assert.deepEqual(new Set(shards), new Set([0, 1, 2]))
    assert.deepEqual(
      sets.toReversed().map((set) => pool.shard([set], 3)),
      shards.toReversed(),
    )
    for (const shard of [0, 1, 2]) {
      assert.ok(shards.filter((one) => one === shard).length > 300)
    }
  })

  it('reads the same after its memory was tidied', () => {
    const pool = new LabelPool(1)
    const make = (at: number) => [label('__name__', 'up'), label('pod', `pod-${at}`.padEnd(60))]
    const sets = Array.from({ length: 5000 }, (_, at) => pool.take(make(at)))
    const before = pool.labels.keyBytes
    for (const [at, set] of sets.entries()) if (at % 40 !== 0) pool.release(set)
    for (let round = 0; round < 20; round++) pool.tidy(1000)
    assert.ok(pool.labels.keyBytes < before)
    for (const [at, set] of sets.entries()) {
      if (at % 40 === 0) assert.deepEqual(pool.read(set), make(at))
    }
  })
})

describe('retired labels', () => {
  it('go once every batch that was on its way when they retired is done', () => {
    const pool = new LabelPool(1)
    const retired = new RetiredLabels(pool)
    const first = retired.hold()
    const second = retired.hold()
    const one = pool.take([label('a', '1')])
    retired.add(one, owner, 5)
    retired.release()
    const later = retired.hold()
    retired.add(pool.take([label('a', '2')]), owner, -1)
    retired.release()
    second()
    later()
    retired.release()
    assert.equal(pool.sets.count, 2)
    assert.equal(retired.past(one)?.endMs, 5)
    first()
    retired.release()
    assert.equal(countAll(pool), 0)
    assert.equal(retired.past(one), undefined)
  })

  it('keep the latest time of all that retired with them', () => {
    const pool = new LabelPool(1)
    const retired = new RetiredLabels(pool)
    const take = () => pool.take([label('a', '1')])
    const set = take()
    for (const endMs of [3, 7, -1, 5]) {
      retired.add(take(), owner, endMs)
      assert.equal(retired.past(set)?.endMs, endMs === 3 ? 3 : 7)
    }
  })
})
