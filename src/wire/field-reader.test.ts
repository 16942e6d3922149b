import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import protobuf from 'protobufjs'
import { FieldReader, wireType } from './field-reader.ts'
import { quickEnd } from './quick-end.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'
import { fieldLength, varintLength, writeFieldHeader, writeVarint } from './varint.ts'
import { WireError } from './wire-error.ts'
import { WireWriter } from './wire-writer.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

/** A reader that stands on the first field. */
function first(bytes: Uint8Array): FieldReader {
  const fields = new FieldReader(bytes)
  assert.ok(fields.next())
  return fields
}

function written(write: (writer: WireWriter) => void): FieldReader {
  const writer = new WireWriter(1)
  write(writer)
  return first(writer.finish())
}

const fieldNumbers = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 2 ** 29 - 1 }),
)
const uint64s = fc.oneof(
  fc.constantFrom(0n, 127n, 128n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 64n - 1n),
  fc.bigInt(0n, 2n ** 64n - 1n),
)

suite('numbers', () => {
  test('64 bits come back with every digit, signed and unsigned, as varint and fixed', () => {
    fc.assert(
      fc.property(fieldNumbers, uint64s, (field, value) => {
        for (const fields of [
          written((writer) => writer.int64(field, value)),
          written((writer) => writer.fixed64(field, value)),
        ]) {
          assert.equal(fields.field, field)
          assert.equal(fields.uint64(), value)
          assert.equal(fields.int64(), BigInt.asIntN(64, value))
          assert.equal(fields.uint64Nearest(), Number(value))
          assert.equal(fields.int64Nearest(), Number(BigInt.asIntN(64, value)))
          fields.readHalves()
          assert.deepEqual(
            [fields.low, fields.high],
            [Number(value & 0xffffffffn), Number(value >> 32n)],
          )
          assert.equal(fields.next(), false)
        }
      }),
    )
  })

  test('protobufjs writes the same varints and reads ours', () => {
    fc.assert(
      fc.property(uint64s, (value) => {
        const bytes = new protobuf.Writer().uint32(8).uint64(String(value)).finish()
        assert.equal(first(bytes).uint64(), value)
        const writer = new WireWriter()
        writer.int64(1, value)
        assert.deepEqual(writer.finish(), new Uint8Array(bytes))
      }),
    )
  })

  test('32 bits and zigzag come back', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        assert.equal(written((writer) => writer.int32(1, value)).int32(), value)
        assert.equal(written((writer) => writer.sint32(1, value)).sint32(), value)
        assert.equal(written((writer) => writer.uint(1, value >>> 0)).uint32(), value >>> 0)
        assert.equal(written((writer) => writer.fixed32(1, value >>> 0)).fixed32(), value >>> 0)
      }),
    )
  })

  test('doubles come back, NaN and -0 too', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        assert.ok(Object.is(written((writer) => writer.double(1, value)).double(), value))
      }),
    )
  })

  test('a bool is true for any bit, in either half', () => {
    assert.equal(first(hex('0800')).bool(), false)
    assert.equal(first(hex('0802')).bool(), true)
    assert.equal(first(hex('08808080808001')).bool(), true)
    assert.equal(first(hex('088000')).bool(), false)
  })

  test('bits beyond the 64th of a tenth byte are ignored', () => {
    assert.equal(first(hex('08ffffffffffffffffff7f')).uint64(), 2n ** 64n - 1n)
  })

  test('a whole number up to 2^53 is written as protobufjs does, in the length foretold', () => {
    const numbers = fc.oneof(fc.nat(0x4000), fc.maxSafeNat())
    fc.assert(
      fc.property(numbers, fieldNumbers, (value, field) => {
        const bytes = new Uint8Array(16)
        const end = writeVarint(bytes, 2, value)
        assert.equal(end - 2, varintLength(value))
        const expected = new protobuf.Writer().uint64(String(value)).finish()
        assert.deepEqual(bytes.subarray(2, end), new Uint8Array(expected))
        const headerEnd = writeFieldHeader(bytes, 0, field, value)
        assert.equal(headerEnd + value, fieldLength(field, value))
      }),
    )
  })
})

suite('length-delimited fields', () => {
  test('text comes back, long and short, with lone surrogates replaced', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ minLength: 100, maxLength: 300 }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const fields = written((writer) => writer.string(3, text))
        assert.equal(fields.string(), text.toWellFormed())
        assert.equal(decodeUtf8(encodeUtf8(text)), text.toWellFormed())
      }),
      { numRuns: 50 },
    )
  })

  test('a message of any length gets its length before it, after it is written', () => {
    fc.assert(
      fc.property(fc.nat(40_000), fc.nat(300), (outer, inner) => {
        const writer = new WireWriter(1)
        writer.message(1, () => {
          writer.bytes(2, new Uint8Array(inner).fill(7))
          writer.message(3, () => writer.raw(new Uint8Array(outer).fill(0)))
        })
        writer.uint(9, 1)
        const fields = first(writer.finish())
        const nested = new FieldReader(fields.bytes, fields.start, fields.end)
        assert.ok(nested.next() && nested.is(2))
        assert.deepEqual(nested.view(), new Uint8Array(inner).fill(7))
        assert.ok(nested.next() && nested.is(3))
        assert.deepEqual(nested.view(), new Uint8Array(outer))
        assert.equal(nested.next(), false)
        assert.ok(fields.next())
        assert.equal(fields.field, 9)
      }),
      { numRuns: 30 },
    )
  })

  test('packed lists are what protobufjs packs', () => {
    const writer = new WireWriter()
    writer.packedVarints(1, [1n, 300n, 2n ** 64n - 1n])
    writer.packedFixed64(2, [-1n, 5n])
    writer.packedDoubles(3, [0.5, -0])
    const packed = new protobuf.Writer()
    packed.uint32(10).fork().uint64(1).uint64(300).uint64('18446744073709551615').ldelim()
    packed.uint32(18).fork().sfixed64(-1).sfixed64(5).ldelim()
    packed.uint32(26).fork().double(0.5).double(-0).ldelim()
    assert.deepEqual(writer.finish(), new Uint8Array(packed.finish()))
  })

  test('a length in more bytes than it needs is a length', () => {
    const fields = first(hex('0a838080800061626308'))
    assert.deepEqual([fields.string(), fields.start, fields.end], ['abc', 6, 9])
    assert.throws(() => fields.next(), new WireError('a truncated varint', 10))
  })
})

test('the reader stands on every field in turn and stays within its message', () => {
  const bytes = hex('ffff0801150102030411aaaaaaaaaaaaaaaa1a0161232008241203ffff')
  const fields = new FieldReader(bytes, 2, bytes.length - 4)
  const seen = []
  while (fields.next()) seen.push([fields.field, fields.wireType, fields.fieldStart, fields.end])
  assert.deepEqual(seen, [
    [1, wireType.varint, 2, 4],
    [2, wireType.fixed32, 4, 9],
    [2, wireType.fixed64, 9, 18],
    [3, wireType.bytes, 18, 21],
    [4, wireType.groupStart, 21, 25],
  ])
})

test('a field of ordinary shape is stepped over to where the reader ends it', () => {
  const lengths = fc.oneof(fc.nat(300), fc.integer({ min: 16_000, max: 300_000 }))
  fc.assert(
    fc.property(fieldNumbers, lengths, uint64s, (field, length, value) => {
      const writers: ((writer: WireWriter) => void)[] = [
        (writer) => writer.bytes(field, new Uint8Array(length)),
        (writer) => writer.int64(field, value),
        (writer) => writer.fixed64(field, value),
        (writer) => writer.fixed32(field, length),
      ]
      for (const write of writers) {
        const { bytes, end } = written(write)
        const isOrdinary = field < 16 && (write !== writers[1] || value < 0x4000n)
        assert.equal(quickEnd(bytes, 0, end), isOrdinary ? end : 0)
        assert.equal(quickEnd(bytes, 0, end - 1), 0)
      }
    }),
    { numRuns: 50 },
  )
})

test('what a writer gave stays as it is when the writer goes on', () => {
  const writer = new WireWriter()
  writer.uint(1, 1)
  const given = writer.finish()
  assert.equal(writer.byteLength, 0)
  writer.uint(1, 2)
  assert.deepEqual(given, hex('0801'))
})
