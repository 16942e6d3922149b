import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import snappyJs from 'snappyjs'
import { SnappyWriter, snappyWindowBytes } from './snappy-writer.ts'
import { uncompressSnappy } from './snappy.ts'

interface Step {
  /** Bytes of a literal, or undefined for a repetition. */
  readonly literal: Uint8Array | undefined
  /** Of a repetition, as shares of what there is. */
  readonly back: number
  readonly byteLength: number
}

/** Writes the steps, and the same bytes without compression. */
function write(writer: SnappyWriter, steps: readonly Step[]): { block: Uint8Array; plain: Buffer } {
  const plain: number[] = []
  writer.clear()
  for (const { literal, back, byteLength } of steps) {
    if (literal !== undefined) {
      const at = writer.literals(literal.length)
      writer.output.set(literal, at)
      for (const byte of literal) plain.push(byte)
    } else if (plain.length > 0) {
      const reach = Math.min(plain.length, snappyWindowBytes)
      const from = plain.length - 1 - Math.floor(back * (reach - 1))
      writer.repeat(from, byteLength)
      for (let index = 0; index < byteLength; index++) plain.push(plain[from + index])
    }
    assert.equal(writer.position, plain.length)
  }
  return { block: writer.finish(), plain: Buffer.from(plain) }
}

function check(writer: SnappyWriter, steps: readonly Step[]): Uint8Array {
  const { block, plain } = write(writer, steps)
  assert.ok(plain.equals(uncompressSnappy(block, plain.length)))
  if (plain.length > 0) assert.ok(plain.equals(new Uint8Array(snappyJs.uncompress(block))))
  return block
}

const literal = (byteLength: number): Step => {
  const bytes = Uint8Array.from({ length: byteLength }, (_, index) => (index * 7) ^ (index >>> 5))
  return { literal: bytes, back: 0, byteLength: 0 }
}
const repetition = (back: number, byteLength: number): Step => ({
  literal: undefined,
  back,
  byteLength,
})

describe('snappy writer', () => {
  it('writes what our decoder and snappyjs read back, one block after the other', () => {
    const step = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => ({
        literal: bytes,
        back: 0,
        byteLength: 0,
      })),
      fc.record({
        literal: fc.constant(undefined),
        back: fc.double({ min: 0, max: 1, noNaN: true }),
        byteLength: fc.integer({ min: 1, max: 200 }),
      }),
    )
    const writer = new SnappyWriter()
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        check(writer, steps)
      }),
      { numRuns: 400 },
    )
  })

  it('holds at the limits of literals, copies, offsets and lengths', () => {
    const writer = new SnappyWriter()
    for (const byteLength of [1, 59, 60, 61, 255, 256, 257, 65_535, 65_536, 65_537, 300_000]) {
      for (const copied of [1, 2, 3, 4, 11, 12, 60, 63, 64, 65, 67, 68, 69, 128, 129, 70_000]) {
        check(writer, [literal(byteLength), repetition(1, copied), literal(3)])
      }
    }
    check(writer, [])
  })

  it('writes a literal that is too long for three bytes of length', () => {
    const byteLength = 2 ** 24 + 1
    const writer = new SnappyWriter()
    writer.clear()
    const at = writer.literals(byteLength)
    writer.output.fill(7, at)
    const plain = uncompressSnappy(writer.finish(), byteLength)
    assert.deepEqual([plain.length, plain[0], plain.at(-1)], [byteLength, 7, 7])
  })

  it('makes one copy of what repeats in one run', () => {
    const writer = new SnappyWriter()
    writer.clear()
    writer.output.set(Buffer.from('abcdefgh'), writer.literals(8))
    writer.repeat(0, 3)
    assert.equal(writer.sourceEnd, 3)
    writer.repeat(3, 5)
    assert.deepEqual(
      [...writer.finish()],
      [16, 7 << 2, ...Buffer.from('abcdefgh'), 1 | (4 << 2), 8],
    )
  })
})
