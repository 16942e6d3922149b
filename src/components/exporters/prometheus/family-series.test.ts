import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BlockList } from './block-list.ts'
import { FamilySeries } from './family-series.ts'
import type { Metric } from './series.ts'
import { intColumns, intsPerRow, rowsMax } from './series-block.ts'

// Only handed through.
const metric = {} as Metric

/** Few hashes, so that texts meet in the table. */
function labels(number: number) {
  const text = `${number}`.repeat((number % 7) + 1)
  return {
    bytes: Buffer.from(text),
    hash: number % 5,
    hasQuoted: number % 3 === 0,
    hasState: number % 4 === 0,
  }
}

function textAt(blocks: BlockList, position: number): string {
  const block = blocks.at(position)!
  const at = (position % rowsMax) * intsPerRow
  const start = block.ints[at + intColumns.textStart]
  const length = block.ints[at + intColumns.textLength]
  return Buffer.from(block.text.subarray(start, start + length)).toString()
}

test('series are found by their labels, keep their order, and gone handles lead nowhere', () => {
  const steps = fc.array(fc.nat(40), { minLength: 1, maxLength: 400 })
  fc.assert(
    fc.property(steps, (numbers) => {
      const blocks = new BlockList()
      const family = new FamilySeries(blocks)
      const handles = new Map<number, number>()
      const gone: number[] = []
      for (const number of numbers) {
        const before = order(family)
        const known = handles.get(number)
        if (known === undefined) {
          assert.equal(family.find(labels(number)), -1)
          handles.set(number, blocks.handle(family.add(labels(number), metric)))
        } else {
          family.remove(blocks.at(known)!, known & (rowsMax - 1))
          handles.delete(number)
          gone.push(known)
        }
        const stayed = (positions: number[], among: number[]) =>
          positions.filter((position) => among.includes(position))
        const after = order(family)
        assert.deepEqual(stayed(before, after), stayed(after, before))
        assert.equal(family.count, handles.size)
        const quoted = [...handles.keys()].filter((key) => key % 3 === 0)
        assert.equal(family.quotedCount, quoted.length)
        const states = [...handles.keys()].filter((key) => key % 4 === 0)
        assert.equal(family.stateCount, states.length)
      }
      for (const [number, handle] of handles) {
        assert(!blocks.isGone(handle))
        const position = family.find(labels(number))
        assert.equal(blocks.handle(position), handle)
        assert.equal(textAt(blocks, position), labels(number).bytes.toString())
      }
      const living = new Set(handles.values())
      for (const handle of gone) assert(living.has(handle) || blocks.isGone(handle))
      assert.equal(new Set([...gone, ...living]).size, gone.length + living.size)
    }),
  )
})

test('the older of two series comes first, whichever rows they have', () => {
  const numbers = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 400 })
  fc.assert(
    fc.property(numbers, fc.nat(100), (steps, orderedFrom) => {
      const blocks = new BlockList()
      const family = new FamilySeries(blocks)
      const add = (number: number) => blocks.handle(family.add(labels(number), metric))
      let handles = new Map([[0, add(0)]])
      for (const [index, number] of steps.entries()) {
        const known = handles.get(number)
        if (known === undefined) handles.set(number, add(number))
        else {
          family.remove(blocks.at(known)!, known & (rowsMax - 1))
          handles.delete(number)
        }
        if (index < orderedFrom) continue
        const found = [...family.inOrder()]
        assert(found.length <= handles.size * 2)
        const living = found.filter((handle) => !blocks.isGone(handle))
        if (index === orderedFrom) {
          handles = new Map(
            [...handles].sort((a, b) => living.indexOf(a[1]) - living.indexOf(b[1])),
          )
        }
        assert.deepEqual(living, [...handles.values()])
      }
    }),
  )
})

function order(family: FamilySeries): number[] {
  return family.blocks.flatMap((block) =>
    Array.from({ length: block.capacity }, (_, row) => row)
      .filter((row) => block.isLive(row))
      .map((row) => block.id * rowsMax + row),
  )
}

test('memory does not grow with series that come and go', () => {
  const blocks = new BlockList()
  const family = new FamilySeries(blocks)
  const byteLength = () => family.blocks.reduce((sum, block) => sum + block.text.length, 0)
  const at = (number: number) => {
    const bytes = Buffer.from(`a="${number}"`.padEnd(100))
    return { bytes, hash: number, hasQuoted: false, hasState: false }
  }
  for (let number = 0; number < 2000; number++) family.add(at(number), metric)
  const [full, count] = [byteLength(), family.blocks.length]
  for (let number = 0; number < 20_000; number++) {
    const position = family.find(at(number))
    family.remove(blocks.at(position)!, position % rowsMax)
    family.add(at(number + 2000), metric)
  }
  assert(byteLength() <= full * 1.3, `${byteLength()} bytes where there were ${full}`)
  assert(family.blocks.length <= count + 1)
})
