import {
  type ZlibOptions,
  type ZstdOptions,
  constants,
  deflate,
  deflateSync,
  gzip,
  gzipSync,
  zstdCompress,
  zstdCompressSync,
} from 'node:zlib'
import { type ContentEncoding, syncCompressedBytesMax } from './encodings.ts'
import { compressSnappyFrames } from './snappy-frames.ts'
import { compressSnappy } from './snappy.ts'

/** The levels a format has; the Collector's `compression_params.level`. Undefined where there is nothing to choose. */
export const compressionLevels: Readonly<
  Record<ContentEncoding, { readonly min: number; readonly max: number } | undefined>
> = {
  gzip: { min: 0, max: 9 },
  zlib: { min: 0, max: 9 },
  deflate: { min: 0, max: 9 },
  zstd: { min: 1, max: 22 },
  snappy: undefined,
  'x-snappy-framed': undefined,
}

/** A body in its sender's form. Synchronous where that is quick. No level means the format's own default. */
export function compressBody(
  encoding: ContentEncoding,
  bytes: Uint8Array,
  level?: number,
): Uint8Array | Promise<Uint8Array> {
  const isQuick = bytes.length <= syncCompressedBytesMax
  switch (encoding) {
    case 'gzip': {
      const options = zlibOptions(bytes, level)
      return isQuick ? gzipSync(bytes, options) : inLibrary((done) => gzip(bytes, options, done))
    }
    case 'zlib':
    case 'deflate': {
      const options = zlibOptions(bytes, level)
      return isQuick
        ? deflateSync(bytes, options)
        : inLibrary((done) => deflate(bytes, options, done))
    }
    case 'zstd': {
      const options = zstdOptions(bytes, level)
      return isQuick
        ? zstdCompressSync(bytes, options)
        : inLibrary((done) => zstdCompress(bytes, options, done))
    }
    case 'snappy':
      return compressSnappy(bytes)
    default:
      return compressSnappyFrames(bytes)
  }
}

function inLibrary(
  start: (done: (error: Error | null, result: Uint8Array) => void) => void,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })
}

function zlibOptions(bytes: Uint8Array, level: number | undefined): ZlibOptions {
  return { level: level ?? constants.Z_DEFAULT_COMPRESSION, chunkSize: pieceLength(bytes) }
}

function zstdOptions(bytes: Uint8Array, level: number | undefined): ZstdOptions {
  return {
    chunkSize: pieceLength(bytes),
    // Says in the frame how long the content is, so that its reader can make room once.
    pledgedSrcSize: bytes.length,
    params: { [constants.ZSTD_c_compressionLevel]: level ?? constants.ZSTD_CLEVEL_DEFAULT },
  }
}

/** Telemetry shrinks to a seventh: a quarter of the input is nearly always room enough in one piece. */
function pieceLength(bytes: Uint8Array): number {
  return Math.min(Math.max(bytes.length >>> 2, 1024), 1024 * 1024)
}
