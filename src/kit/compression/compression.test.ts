import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  constants,
  createZstdCompress,
  gunzipSync,
  gzipSync,
  inflateSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import fc from 'fast-check'
import snappyJs from 'snappyjs'
import { Refusal } from '../../otlp/refusal.ts'
import { compressBody } from './compress.ts'
import { type ContentEncoding, contentEncodings } from './encodings.ts'
import { inflateBody } from './inflate.ts'
import { splitZstdFrames } from './zstd.ts'

const limit = 20 * 1024 * 1024
const text = (word: string, count: number) => Buffer.from(word.repeat(count))
/** Repeats itself somewhat, as telemetry does. */
const bodies = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 })
  .chain((words) =>
    fc
      .array(fc.nat(), { maxLength: 60 })
      .map((picks) =>
        Buffer.concat(picks.map((pick) => words[pick % (words.length || 1)] ?? new Uint8Array(0))),
      ),
  )

function textOf(inflated: Uint8Array | Promise<Uint8Array>): string {
  assert.ok(inflated instanceof Uint8Array)
  return Buffer.from(inflated).toString()
}

function refusalFrom(run: () => unknown): Refusal {
  let thrown: unknown
  try {
    run()
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown instanceof Refusal, String(thrown))
  return thrown
}

for (const encoding of contentEncodings) {
  test(`${encoding}: what was compressed inflates to itself`, () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const back = inflateBody(encoding, compressBody(encoding, body) as Uint8Array, limit)
        assert.deepEqual(Buffer.from(back as Uint8Array), body)
      }),
      { numRuns: 50 },
    )
  })

  test(`${encoding}: any bytes either inflate or are refused, and never beyond the limit`, async () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(bodies, changes, fc.nat(), async (body, edits, cut) => {
        const bytes = Uint8Array.from(compressBody(encoding, body) as Uint8Array)
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte
        const damaged = bytes.subarray(0, bytes.length - (cut % bytes.length))
        try {
          const inflated = await inflateBody(encoding, damaged, 500)
          assert.ok(inflated.length <= 500)
        } catch (error) {
          assert.ok(error instanceof Refusal, String(error))
        }
      }),
      { numRuns: 200 },
    )
  })

  test(`${encoding}: a body that is cut short is invalid`, () => {
    const bytes = compressBody(encoding, text('span ', 500)) as Uint8Array
    for (const length of [0, 1, 5, bytes.length - 1]) {
      // A stream of snappy frames that ends between two frames is whole.
      if (encoding === 'x-snappy-framed' && length === 10) continue
      const refusal = refusalFrom(() => inflateBody(encoding, bytes.subarray(0, length), limit))
      assert.equal(refusal.code, 'invalid', `${length} bytes`)
    }
  })

  test(`${encoding}: the limit is met exactly and not passed by a byte`, () => {
    const body = text('0123456789', 3000)
    const bytes = compressBody(encoding, body) as Uint8Array
    assert.equal((inflateBody(encoding, bytes, 30_000) as Uint8Array).length, 30_000)
    const refusal = refusalFrom(() => inflateBody(encoding, bytes, 29_999))
    assert.equal(refusal.code, 'too_large')
    assert.equal(refusal.message, 'body inflates to more than 29999 bytes')
  })

  test(`${encoding}: a large body comes out whole, by way of a promise where it would take long`, async () => {
    const body = text('resource spans of some length ', 100_000)
    const compressed = await compressBody(encoding, body)
    assert.deepEqual(Buffer.from(await inflateBody(encoding, compressed, limit)), body)
    await assert.rejects(
      async () => inflateBody(encoding, compressed, body.length - 1),
      (error: Refusal) => error.code === 'too_large',
    )
  })
}

test('zlib itself reads what is compressed here, at the level asked for', () => {
  const body = text('some telemetry ', 1000)
  assert.deepEqual(gunzipSync(compressBody('gzip', body, 1) as Uint8Array), body)
  assert.deepEqual(inflateSync(compressBody('deflate', body) as Uint8Array), body)
  assert.deepEqual(zstdDecompressSync(compressBody('zstd', body, 19) as Uint8Array), body)
  const stored = compressBody('gzip', body, 0) as Uint8Array
  assert.ok(stored.length > body.length)
})

test('gzip of many members inflates to all of them, trailing zeros are padding', () => {
  const members = Buffer.concat([gzipSync(text('a', 9)), gzipSync(text('b', 9)), Buffer.alloc(30)])
  assert.equal(textOf(inflateBody('gzip', members, limit)), 'a'.repeat(9) + 'b'.repeat(9))
})

test('gzip whose trailer lies about its length is invalid', () => {
  const lying = gzipSync(text('a', 5000))
  const refusal = refusalFrom(() => {
    lying.writeUInt32LE(10, lying.length - 4)
    return inflateBody('gzip', lying, limit)
  })
  assert.match(refusal.message, /incorrect length check/)
})

test('a gzip bomb stops at the limit, also when it says that it is small', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
  await assert.rejects(async () => inflateBody('gzip', bomb, limit), { code: 'too_large' })
  bomb.writeUInt32LE(1000, bomb.length - 4)
  assert.equal(refusalFrom(() => inflateBody('gzip', bomb, 100_000)).code, 'too_large')
})

test('zstd of many frames inflates to all of them, skippable frames left out', () => {
  const skippable = Buffer.from('502a4d18030000000a0b0c', 'hex')
  const frames = Buffer.concat([
    zstdCompressSync(text('a', 1000)),
    skippable,
    zstdCompressSync(text('b', 1000), { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
    zstdCompressSync(Buffer.alloc(0)),
  ])
  assert.equal(textOf(inflateBody('zstd', frames, limit)), 'a'.repeat(1000) + 'b'.repeat(1000))
  assert.equal(refusalFrom(() => inflateBody('zstd', frames, 1999)).code, 'too_large')
  assert.equal((inflateBody('zstd', frames, 2000) as Uint8Array).length, 2000)
})

test('zstd frames too large for the event loop inflate one after another', async () => {
  const part = text('one of three ', 60_000)
  const frame = zstdCompressSync(part)
  const inflated = await inflateBody('zstd', Buffer.concat([frame, frame, frame]), limit)
  assert.deepEqual(Buffer.from(inflated), Buffer.concat([part, part, part]))
})

test('zstd: frames that do not say what they hold are counted as they inflate', async () => {
  const stream = createZstdCompress()
  stream.write(text('a', 500))
  stream.end(text('a', 500))
  const silent = Buffer.concat(await stream.toArray())
  assert.equal(splitZstdFrames(silent)[0].contentLength, undefined)
  const one = zstdCompressSync(text('a', 1))
  assert.equal(textOf(inflateBody('zstd', silent, 1000)), 'a'.repeat(1000))
  assert.equal(refusalFrom(() => inflateBody('zstd', silent, 999)).code, 'too_large')
  const silentTwice = Buffer.concat([one, silent, silent])
  assert.equal(refusalFrom(() => inflateBody('zstd', silentTwice, 1001)).code, 'too_large')
  // Flushing ends a frame in Node: one of unknown length, and one that says it holds nothing.
  const tiny = createZstdCompress()
  tiny.write('b')
  tiny.flush()
  tiny.end()
  const full = Buffer.concat([silent, ...((await tiny.toArray()) as Buffer[])])
  assert.equal(refusalFrom(() => inflateBody('zstd', full, 1000)).code, 'too_large')
  assert.equal(textOf(inflateBody('zstd', full, 1001)), `${'a'.repeat(1000)}b`)
})

test('zstd: what follows the last frame is not swallowed', () => {
  const bytes = Buffer.concat([zstdCompressSync(text('a', 10)), Buffer.from('garbage')])
  assert.match(refusalFrom(() => inflateBody('zstd', bytes, limit)).message, /no frame begins/)
})

test('zstd: a body of endlessly many frames is refused', () => {
  const empty = zstdCompressSync(Buffer.alloc(0))
  const bytes = Buffer.concat(Array.from({ length: 1025 }, () => empty))
  assert.match(
    refusalFrom(() => inflateBody('zstd', bytes, limit)).message,
    /more than 1024 frames/,
  )
  assert.equal(splitZstdFrames(bytes.subarray(0, empty.length * 1024)).length, 1024)
})

test('zstd: a frame that declares more than the limit is refused before it is inflated', () => {
  const bytes = Buffer.from(zstdCompressSync(text('a', 100_000)))
  assert.equal(splitZstdFrames(bytes)[0].contentLength, 100_000)
  assert.equal(refusalFrom(() => inflateBody('zstd', bytes, 99_999)).code, 'too_large')
})

test('snappy: the declared length is checked before room is made', () => {
  const declaresFourGiB = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61)
  assert.equal(refusalFrom(() => inflateBody('snappy', declaresFourGiB, limit)).code, 'too_large')
  const declaresMiB = Uint8Array.of(0x80, 0x80, 0x40, 0x00, 0x61)
  assert.match(refusalFrom(() => inflateBody('snappy', declaresMiB, limit)).message, /can hold/)
})

test('snappy: a block that is longer or shorter than it says, or copies from nowhere, is invalid', () => {
  const shorter = Uint8Array.of(3, 0x04, 0x61, 0x62)
  const longer = Uint8Array.of(1, 0x04, 0x61, 0x62)
  const fromNowhere = Uint8Array.of(5, 0x00, 0x61, 0x01, 0x02)
  for (const bytes of [shorter, longer, fromNowhere]) {
    assert.equal(refusalFrom(() => inflateBody('snappy', bytes, limit)).code, 'invalid')
  }
})

test('snappy: every kind of element is read', () => {
  // From the format description: literal 'ab', copies with offsets of one, two and four bytes.
  const bytes = Uint8Array.of(18, 0x04, 0x61, 0x62, 0x01, 0x02, 0x16, 0x02, 0, 0x17, 0x06, 0, 0, 0)
  assert.equal(
    String(Buffer.from(inflateBody('snappy', bytes, limit) as Uint8Array)),
    'ab'.repeat(9),
  )
})

test('snappy: blocks and frames are told apart by their first bytes, whatever the header said', () => {
  const body = text('framed or not ', 9000)
  for (const encoding of ['snappy', 'x-snappy-framed'] satisfies ContentEncoding[]) {
    for (const made of ['snappy', 'x-snappy-framed'] satisfies ContentEncoding[]) {
      const bytes = compressBody(made, body) as Uint8Array
      assert.deepEqual(Buffer.from(inflateBody(encoding, bytes, limit) as Uint8Array), body)
    }
  }
})

test('snappy frames: a known stream is read, a broken checksum is not', () => {
  // CRC-32C of "123456789" is e3069283 in every catalog of checksums; masked as the frame format says.
  const stream = Buffer.concat([
    Buffer.from('ff060000734e61507059', 'hex'),
    Buffer.from('010d0000e5b08ac7', 'hex'),
    Buffer.from('123456789'),
  ])
  assert.equal(textOf(inflateBody('snappy', stream, limit)), '123456789')
  stream[stream.length - 1] ^= 1
  assert.match(refusalFrom(() => inflateBody('snappy', stream, limit)).message, /checksum/)
})

test('snappy agrees with snappyjs', () => {
  fc.assert(
    fc.property(bodies, (body) => {
      fc.pre(body.length > 0)
      const theirs = snappyJs.compress(body)
      assert.deepEqual(
        Buffer.from(inflateBody('snappy', theirs, limit) as Uint8Array),
        Buffer.from(snappyJs.uncompress(theirs)),
      )
    }),
  )
})
