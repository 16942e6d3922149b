/** Content-Encoding words, as the Collector spells them in `compression` and `compression_algorithms`. */

export const contentEncodings = [
  'gzip',
  'zstd',
  'zlib',
  'deflate',
  'snappy',
  'x-snappy-framed',
] as const

export type ContentEncoding = (typeof contentEncodings)[number]

export function isContentEncoding(name: string): name is ContentEncoding {
  return (contentEncodings as readonly string[]).includes(name)
}

// Measured on span batches (Node 24, zlib of Chromium): synchronously a body costs a third less CPU than through the
// thread pool, and a MiB comes out in about a millisecond, which is the longest the event loop should be held.
export const syncInflatedBytesMax = 1024 * 1024
export const syncDeflatedBytesMax = 256 * 1024

// Compressing is slower: about two milliseconds for these at the default level of gzip.
export const syncCompressedBytesMax = 256 * 1024
