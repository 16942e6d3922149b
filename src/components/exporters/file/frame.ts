import { zstdCompressSync } from 'node:zlib'
import type { Batch } from '../../../otlp/batch.ts'
import { encodeBatch } from '../../../otlp/encode-batch.ts'
import { encodeJson } from '../../../otlp/encode-json.ts'
import type { FileSettings } from './settings.ts'

/** One batch as it stands in the file: a line of JSON, or bytes after their length. */
export function frame(batch: Batch, { format, compression }: FileSettings): Uint8Array {
  const isPlain = compression !== 'zstd'
  if (format === 'json' && isPlain) return Buffer.from(`${encodeJson(batch)}\n`)
  const message = format === 'json' ? Buffer.from(encodeJson(batch)) : encodeBatch(batch)
  const body = isPlain ? message : zstdCompressSync(message)
  const framed = Buffer.allocUnsafe(4 + body.length)
  framed.writeUInt32BE(body.length)
  framed.set(body, 4)
  return framed
}
