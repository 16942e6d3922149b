/** How much is asked of a server that refuses much of what it is sent. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Refusal } from '../../../otlp/refusal.ts'
import { Isolation } from './isolation.ts'
import { LabelPool } from './label-pool.ts'
import { Family } from './row.ts'
import { Complaints } from './read-answer.ts'
import { SampleList } from './sample-list.ts'

interface Scene {
  readonly seriesCount: number
  /** Of each series; 1 unless said. */
  readonly sampleCount?: number
  readonly fruitlessMax: number
  readonly isBad: (index: number) => boolean
  /** Whether an answer names the first series that the server minds. */
  readonly names?: boolean
}

interface Result {
  readonly requestCount: number
  readonly takenCount: number
  readonly refused: readonly number[]
  readonly unsettled: readonly number[]
}

/** Of a server that keeps nothing of what it refuses, after it refused all samples together. */
async function isolate(scene: Scene): Promise<Result> {
  const { seriesCount, sampleCount = 1, fruitlessMax, isBad, names = false } = scene
  const pool = new LabelPool(1)
  const list = new SampleList()
  const owner = { shard: 0, isGone: false, hasLoggedRejection: false, newestMs: 9, committedMs: 9 }
  const family = new Family({ name: 'fill', type: 2, help: '', unit: '' })
  const texts: string[] = []
  for (let id = 0; id < seriesCount; id++) {
    const labels = pool.take([
      { name: '__name__', value: 'fill' },
      { name: 'id', value: String(id) },
    ])
    for (let ms = 1; ms <= sampleCount; ms++) {
      list.push({ owner, family, labels }, 1, ms, 0)
      texts.push(`fill{id="${id}"}`)
    }
  }
  let [requestCount, takenCount] = [0, 0]
  const answer = (indices: Uint32Array) => {
    const bad = indices.find(isBad)
    if (bad === undefined) return 'taken'
    const complaint = `label name invalid in${names ? ` ${texts[bad]}` : ''}`
    return new Refusal('invalid', complaint, { cause: new Complaints([complaint]) })
  }
  const isolation = new Isolation({
    list,
    pool,
    isNative: () => false,
    fruitlessMax,
    send: async (indices) => {
      requestCount++
      const sent = answer(indices)
      if (sent === 'taken') takenCount += indices.length
      return sent
    },
  })
  const all = Uint32Array.from({ length: list.length }, (_, index) => index)
  const refusal = answer(all)
  assert.ok(refusal instanceof Refusal)
  const { refused, unsettled } = await isolation.run(all, refusal)
  assert.equal(takenCount + refused.length + unsettled.length, list.length)
  return { requestCount, takenCount, unsettled, refused: refused.map(({ index }) => index) }
}

const everySecond = (index: number) => index % 2 === 1

describe('a request of which every second sample is bad', () => {
  it('is cut until all are found where that takes no more than 2000 requests', async () => {
    const { takenCount, unsettled } = await isolate({
      seriesCount: 1000,
      fruitlessMax: 88,
      isBad: everySecond,
    })
    assert.deepEqual([takenCount, unsettled], [500, []])
  })

  for (const [seriesCount, requestsMax] of [
    [2000, 2000],
    [5000, 5000],
  ] as const) {
    it(`is followed by ${requestsMax} others if it has ${seriesCount}, but for what is left`, async () => {
      const { requestCount, takenCount, unsettled } = await isolate({
        seriesCount,
        fruitlessMax: 100,
        isBad: everySecond,
      })
      const depth = Math.ceil(Math.log2(seriesCount))
      assert.ok(requestCount >= requestsMax, String(requestCount))
      assert.ok(requestCount <= requestsMax + depth, String(requestCount))
      assert.ok(takenCount > 0 && unsettled.length > 0)
    })
  }
})

describe('a request of which the server names one bad series an answer', () => {
  it('is cut when there are many, so that patience is left for the good ones', async () => {
    const { takenCount, requestCount } = await isolate({
      seriesCount: 1000,
      fruitlessMax: 88,
      isBad: (index) => index >= 400 && index < 550,
      names: true,
    })
    assert.equal(takenCount, 850)
    assert.ok(requestCount < 200, String(requestCount))
  })

  it('is not cut when there are few', async () => {
    const isBad = (index: number) => index % 333 === 7
    const { takenCount, requestCount } = await isolate({
      seriesCount: 1000,
      fruitlessMax: 88,
      isBad,
      names: true,
    })
    assert.deepEqual([takenCount, requestCount], [997, 3])
  })
})

describe('a request of many samples of one series', () => {
  for (const names of [false, true]) {
    it(`is sought through no further than patience goes, ${names ? 'named' : 'not named'}`, async () => {
      const sampleCount = 1000
      const fruitlessMax = 20
      const { requestCount, refused, unsettled } = await isolate({
        seriesCount: names ? 2 : 1,
        sampleCount,
        fruitlessMax,
        isBad: (index) => index < sampleCount,
        names,
      })
      // Of what was cut until then, each half that was left goes once.
      assert.ok(requestCount <= fruitlessMax + Math.ceil(Math.log2(sampleCount)))
      assert.ok(refused.length > 0)
      assert.ok(unsettled.length > sampleCount / 2)
    })
  }
})
