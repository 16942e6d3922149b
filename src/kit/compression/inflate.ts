import { type ZlibOptions, gunzip, gunzipSync, inflate, inflateSync } from 'node:zlib'
import type { ContentEncoding } from './encodings.ts'
import { corrupt, inLibrary, isQuick, refusalOf, roomFor } from './inflated.ts'
import { uncompressSnappyFrames } from './snappy-frames.ts'
import { uncompressSnappy } from './snappy.ts'
import { inflateZstd } from './zstd.ts'

/**
 * The body as it was before its sender compressed it. At most `byteLengthMax` bytes (at least 1) are ever made of it:
 * beyond that it is refused as too_large, and what is corrupt or cut short as invalid. Synchronous for bodies that are
 * quick to inflate.
 */
export function inflateBody(
  encoding: ContentEncoding,
  bytes: Uint8Array,
  byteLengthMax: number,
): Uint8Array | Promise<Uint8Array> {
  switch (encoding) {
    case 'gzip':
      return inflateGzip(bytes, byteLengthMax)
    case 'zstd':
      return inflateZstd(bytes, byteLengthMax)
    case 'zlib':
    case 'deflate':
      return inflateZlib(bytes, byteLengthMax)
    default:
      return inflateSnappy(bytes, byteLengthMax)
  }
}

/** zlib goes on through every member by itself, and refuses what follows the last unless it is zeros. */
function inflateGzip(bytes: Uint8Array, byteLengthMax: number): Uint8Array | Promise<Uint8Array> {
  const expected = gzipLength(bytes)
  const options = zlibOptions(bytes, expected, byteLengthMax)
  if (!isQuick(bytes.length, expected)) {
    return inLibrary('gzip', byteLengthMax, (done) => gunzip(bytes, options, done))
  }
  try {
    return gunzipSync(bytes, options)
  } catch (error) {
    throw refusalOf('gzip', error, byteLengthMax)
  }
}

/** The Collector's deflate is zlib, header and checksum included, as RFC 9110 has it. */
function inflateZlib(bytes: Uint8Array, byteLengthMax: number): Uint8Array | Promise<Uint8Array> {
  const expected = bytes.length * 8
  const options = zlibOptions(bytes, expected, byteLengthMax)
  if (!isQuick(bytes.length, expected)) {
    return inLibrary('zlib', byteLengthMax, (done) => inflate(bytes, options, done))
  }
  try {
    return inflateSync(bytes, options)
  } catch (error) {
    throw refusalOf('zlib', error, byteLengthMax)
  }
}

/** Clients disagree about what `snappy` means, so the frame format's opening chunk decides. */
function inflateSnappy(bytes: Uint8Array, byteLengthMax: number): Uint8Array {
  if (bytes.length === 0) throw corrupt('snappy', 'it is empty')
  return bytes[0] === 0xff && bytes[1] === 0x06
    ? uncompressSnappyFrames(bytes, byteLengthMax)
    : uncompressSnappy(bytes, byteLengthMax)
}

/** What the last member says it inflates to (its true length modulo 2^32): a hint from outside, never a promise. */
function gzipLength(bytes: Uint8Array): number {
  if (bytes.length < 18) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return view.getUint32(bytes.length - 4, true)
}

function zlibOptions(bytes: Uint8Array, expected: number, byteLengthMax: number): ZlibOptions {
  return {
    maxOutputLength: byteLengthMax,
    chunkSize: roomFor(bytes.length, expected, byteLengthMax),
  }
}
