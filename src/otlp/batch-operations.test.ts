import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { arbitraryRequest } from '../../test/kit/arbitraries.ts'
import { itemRows, type Row, rowsOf } from '../../test/kit/batch-rows.ts'
import { decodeRequest } from '../../test/kit/oracle.ts'
import type { Batch } from './batch.ts'
import { editItems } from './edit-items.ts'
import { encodeBatch, encodeSegments } from './encode-batch.ts'
import { indexRequest } from './index-request.ts'
import { mergeBatches } from './merge.ts'
import { type Signal, signalNames } from './signal.ts'
import { mapResources } from './splice.ts'
import { splitByBytes, splitByItems, takeItems } from './split.ts'
import { forEachItem } from './walk.ts'

/** Rows in any order: cutting keeps it, but old and new scopes of one group change places for the oracle. */
function sorted(rows: readonly Row[]): string[] {
  return rows
    .map((row) =>
      JSON.stringify(row, (_key, value: unknown) =>
        typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : value,
      ),
    )
    .sort()
}

function assertSameRows(signal: Signal, parts: readonly Batch[], expected: readonly Row[]): void {
  const rows = parts.flatMap((part) => {
    const encoded = encodeBatch(part)
    assert.equal(encoded.length, part.byteLength)
    const rows = rowsOf(signal, encoded)
    assert.equal(part.itemCount, itemRows(rows).length)
    assert.deepEqual(
      part.groups.map((group) => group.itemCount),
      indexRequest(signal, encoded).groups.map((group) => group.itemCount),
    )
    return rows
  })
  assert.deepEqual(sorted(rows), sorted(expected))
}

const runs = { numRuns: 60 }

for (const signal of signalNames) {
  suite(`${signal} in any field order, with unknown fields`, () => {
    test('indexing and encoding keeps everything', () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), fc.nat(200), ({ bytes }, segmentBytesMin) => {
          const batch = indexRequest(signal, bytes)
          const encoded = encodeBatch(batch)
          assertSameRows(signal, [batch], rowsOf(signal, bytes))
          assert.deepEqual(
            decodeRequest(signal, encoded, { unknown: true }),
            decodeRequest(signal, bytes, { unknown: true }),
          )
          const segments = encodeSegments(batch, segmentBytesMin)
          assert.deepEqual(new Uint8Array(Buffer.concat(segments)), encoded)
        }),
        runs,
      )
    })

    test('a merge holds the items of all', () => {
      fc.assert(
        fc.property(fc.array(arbitraryRequest(signal), { minLength: 1, maxLength: 3 }), (all) => {
          const merged = mergeBatches(all.map(({ bytes }) => indexRequest(signal, bytes)))
          const joined = Buffer.concat(all.map(({ bytes }) => bytes))
          assert.deepEqual(
            decodeRequest(signal, encodeBatch(merged), { unknown: true }),
            decodeRequest(signal, joined, { unknown: true }),
          )
        }),
        { numRuns: 30 },
      )
    })

    test('a split by items fills every part but the last, and loses nothing', () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), fc.integer({ min: 1, max: 6 }), (request, max) => {
          const parts = splitByItems(indexRequest(signal, request.bytes), max)
          assertSameRowsAndUnknown(signal, parts, request.bytes)
          for (const part of parts.slice(0, -1)) assert.equal(part.itemCount, max)
          assert.ok(parts.at(-1)!.itemCount <= max)
        }),
        runs,
      )
    })

    test('a split by bytes stays within the budget or holds one item alone', () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), fc.integer({ min: 1, max: 900 }), (request, max) => {
          const parts = splitByBytes(indexRequest(signal, request.bytes), max)
          assertSameRowsAndUnknown(signal, parts, request.bytes)
          for (const part of parts) {
            if (part.byteLength > max) {
              assert.ok(rowsOf(signal, encodeBatch(part)).length <= 1)
            }
          }
        }),
        runs,
      )
    })

    test('taking items gives exactly so many, and the others', () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), fc.integer({ min: 1, max: 9 }), (request, count) => {
          const batch = indexRequest(signal, request.bytes)
          const [first, others] = takeItems(batch, count)
          assert.equal(first.itemCount, Math.min(count, batch.itemCount))
          assert.equal(others === undefined, batch.itemCount <= count)
          assertSameRowsAndUnknown(signal, others ? [first, others] : [first], request.bytes)
        }),
        runs,
      )
    })

    test('another Resource stands in for every one', () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), ({ bytes }) => {
          const batch = indexRequest(signal, bytes)
          const rows = rowsOf(signal, bytes)
          const mapped = mapResources(batch, () => Uint8Array.of(0x10, 7))
          const resource = { droppedAttributesCount: 7 }
          const expected = rows.map((row) => ({ ...row, group: { ...row.group, resource } }))
          assertSameRows(signal, [mapped], expected.map(resourceLast))
          assert.equal(
            mapResources(batch, (resource) => resource),
            batch,
          )
        }),
        runs,
      )
    })

    test('editing items drops, changes and leaves what it is told to', () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), fc.nat(), ({ bytes }, seed) => {
          const batch = indexRequest(signal, bytes)
          const decide = (index: number) =>
            ['keep', 'drop', 'change'][((index + seed) * 7 + seed) % 3]
          let index = 0
          const edited = editItems(batch, (item) => {
            const decision = decide(index++)
            if (decision === 'drop') return undefined
            return decision === 'keep' ? item : new Uint8Array([...item, ...stranger])
          })
          assert.equal(index, batch.itemCount)
          index = 0
          const kept: string[] = []
          for (const group of batch.groups) {
            forEachItem(signal, group, (item) => {
              const decision = decide(index++)
              const hex = Buffer.from(item).toString('hex')
              if (decision !== 'drop') kept.push(decision === 'keep' ? hex : hex + strangerHex)
            })
          }
          const found: string[] = []
          for (const group of indexRequest(signal, encodeBatch(edited)).groups) {
            forEachItem(signal, group, (item) => found.push(Buffer.from(item).toString('hex')))
          }
          assert.deepEqual(found, kept)
          const dropsNothing = editItems(batch, (item) => item)
          assert.equal(dropsNothing, batch)
        }),
        runs,
      )
    })

    test('dropping every item leaves what had none before', () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), ({ bytes }) => {
          const batch = indexRequest(signal, bytes)
          const expected = rowsOf(signal, bytes).filter((row) => row.item === undefined)
          assertSameRows(signal, [editItems(batch, () => undefined)], expected)
        }),
        runs,
      )
    })

    test('changing every item keeps all around them', () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), ({ bytes }) => {
          const batch = indexRequest(signal, bytes)
          const edited = editItems(batch, (item) => new Uint8Array([...item, ...stranger]))
          const expected = rowsOf(signal, bytes).map((row) => {
            if (row.item === undefined) return row
            const { $unknown = [], ...item } = row.item
            const unknown = [...($unknown as string[]), `hex:${strangerHex}`]
            return { ...row, item: { ...item, $unknown: unknown } }
          })
          assertSameRows(signal, [edited], expected)
        }),
        runs,
      )
    })
  })
}

const strangerHex = 'a0f7361e'
const stranger = Buffer.from(strangerHex, 'hex')

function assertSameRowsAndUnknown(signal: Signal, parts: readonly Batch[], bytes: Uint8Array) {
  assertSameRows(signal, parts, rowsOf(signal, bytes))
  const unknown = Buffer.concat(parts.map((part) => part.unknown))
  assert.deepEqual(new Uint8Array(unknown), indexRequest(signal, bytes).unknown)
}

/** As the oracle orders the members of a group. */
function resourceLast(row: Row): Row {
  const { resource, ...others } = row.group
  return { ...row, group: { resource, ...others } }
}

suite('real payloads', () => {
  const payloads = [
    ['collector-t500', 'traces'],
    ['collector-t100', 'traces'],
    ['collector-t10', 'traces'],
    ['ascending-t512', 'traces'],
    ['ascending-t10', 'traces'],
    ['collector-m500', 'metrics'],
  ] as const
  for (const [name, signal] of payloads) {
    const bytes = readFileSync(new URL(`../../bench/payloads/${name}.pb`, import.meta.url))

    test(`${name} is the same after it was split and merged`, () => {
      const batch = indexRequest(signal, bytes)
      const rows = rowsOf(signal, bytes)
      assertSameRows(signal, splitByItems(batch, 77), rows)
      assertSameRows(signal, splitByBytes(batch, 20_000), rows)
      assertSameRows(signal, [mergeBatches(splitByItems(batch, 33))], rows)
    })
  }
})
