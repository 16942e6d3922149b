/**
 * Zstandard bodies of any number of frames (RFC 8878). Node's zlib stops after the first frame and calls that success,
 * so the frames are told apart here, by their block headers, before each is inflated.
 */
import { type ZstdOptions, constants, zstdDecompress, zstdDecompressSync } from 'node:zlib'
import { corrupt, inLibrary, isQuick, refusalOf, roomFor, tooLarge } from './inflated.ts'

export interface ZstdFrame {
  readonly bytes: Uint8Array
  /** What the frame says it inflates to; undefined when it does not say. */
  readonly contentLength: number | undefined
}

// Every frame costs a decompressor of its own, so that a body of a million tiny frames would stop the process.
const frameCountMax = 1024

// The largest window that encoders use short of their "ultra" levels: 64 MiB.
const windowLogMax = 26

export function inflateZstd(
  bytes: Uint8Array,
  byteLengthMax: number,
): Uint8Array | Promise<Uint8Array> {
  const frames = splitZstdFrames(bytes)
  let declared = 0
  let expected = 0
  for (const frame of frames) {
    declared += frame.contentLength ?? 0
    expected += expectedLength(frame)
  }
  if (declared > byteLengthMax) throw tooLarge(byteLengthMax)
  return isQuick(bytes.length, expected)
    ? inflateAtOnce(frames, byteLengthMax)
    : inflateInLibrary(frames, byteLengthMax)
}

function inflateAtOnce(frames: readonly ZstdFrame[], byteLengthMax: number): Uint8Array {
  const parts = new Parts(byteLengthMax)
  for (const frame of frames) {
    parts.add(inflateFrame(frame, parts.roomLeft, byteLengthMax))
  }
  return parts.joined()
}

function inflateFrame(frame: ZstdFrame, roomLeft: number, byteLengthMax: number): Uint8Array {
  try {
    return zstdDecompressSync(frame.bytes, options(frame, roomLeft))
  } catch (error) {
    throw refusalOf('zstd', error, byteLengthMax)
  }
}

async function inflateInLibrary(
  frames: readonly ZstdFrame[],
  byteLengthMax: number,
): Promise<Uint8Array> {
  const parts = new Parts(byteLengthMax)
  for (const frame of frames) {
    const settings = options(frame, parts.roomLeft)
    // One after another: how much room is left decides how far the next may go.
    // oxlint-disable-next-line no-await-in-loop
    parts.add(
      await inLibrary('zstd', byteLengthMax, (done) => zstdDecompress(frame.bytes, settings, done)),
    )
  }
  return parts.joined()
}

class Parts {
  readonly #byteLengthMax: number
  readonly #parts: Uint8Array[] = []
  #byteLength = 0

  constructor(byteLengthMax: number) {
    this.#byteLengthMax = byteLengthMax
  }

  get roomLeft(): number {
    return this.#byteLengthMax - this.#byteLength
  }

  add(part: Uint8Array): void {
    this.#byteLength += part.length
    if (this.#byteLength > this.#byteLengthMax) throw tooLarge(this.#byteLengthMax)
    this.#parts.push(part)
  }

  joined(): Uint8Array {
    return this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts, this.#byteLength)
  }
}

function options(frame: ZstdFrame, roomLeft: number): ZstdOptions {
  return {
    // zlib wants at least 1; one byte too many is found when it is added to the rest.
    maxOutputLength: Math.max(roomLeft, 1),
    chunkSize: roomFor(frame.bytes.length, expectedLength(frame), roomLeft),
    params: { [constants.ZSTD_d_windowLogMax]: windowLogMax },
  }
}

function expectedLength(frame: ZstdFrame): number {
  return frame.contentLength ?? frame.bytes.length * 8
}

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50

/** The frames of a body, skippable ones left out. Throws a Refusal where headers and lengths do not fit the bytes. */
export function splitZstdFrames(bytes: Uint8Array): ZstdFrame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const frames: ZstdFrame[] = []
  let offset = 0
  for (let count = 0; offset < bytes.length; count++) {
    if (count === frameCountMax) throw corrupt('zstd', `it has more than ${frameCountMax} frames`)
    need(view, offset, 4)
    const magic = view.getUint32(offset, true)
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      need(view, offset, 8)
      const end = offset + 8 + view.getUint32(offset + 4, true)
      need(view, end, 0)
      offset = end
      continue
    }
    if (magic !== frameMagic) throw corrupt('zstd', `no frame begins at byte ${offset}`)
    const header = readHeader(view, offset)
    const end = endOfBlocks(view, header.end) + header.checksumBytes
    need(view, end, 0)
    frames.push({ bytes: bytes.subarray(offset, end), contentLength: header.contentLength })
    offset = end
  }
  if (frames.length === 0) throw corrupt('zstd', 'it has no frame')
  return frames
}

function readHeader(view: DataView, offset: number) {
  need(view, offset, 5)
  const descriptor = view.getUint8(offset + 4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const contentLengthFlag = descriptor >>> 6
  const contentLengthBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][contentLengthFlag]
  const contentLengthAt = offset + 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]
  need(view, contentLengthAt, contentLengthBytes)
  return {
    end: contentLengthAt + contentLengthBytes,
    checksumBytes: (descriptor & 0x04) === 0 ? 0 : 4,
    contentLength: readContentLength(view, contentLengthAt, contentLengthBytes),
  }
}

function readContentLength(view: DataView, at: number, byteLength: number): number | undefined {
  switch (byteLength) {
    case 1:
      return view.getUint8(at)
    case 2:
      return view.getUint16(at, true) + 256
    case 4:
      return view.getUint32(at, true)
    case 8:
      return Number(view.getBigUint64(at, true))
    default:
      return undefined
  }
}

function endOfBlocks(view: DataView, start: number): number {
  for (let offset = start; ;) {
    need(view, offset, 3)
    const header = view.getUint16(offset, true) | (view.getUint8(offset + 2) << 16)
    const kind = (header >>> 1) & 3
    if (kind === 3) throw corrupt('zstd', `block at byte ${offset} is of no known kind`)
    // A run-length block carries one byte, however long the run.
    offset += 3 + (kind === 1 ? 1 : header >>> 3)
    need(view, offset, 0)
    if ((header & 1) === 1) return offset
  }
}

function need(view: DataView, offset: number, byteLength: number): void {
  if (offset + byteLength > view.byteLength)
    throw corrupt('zstd', 'it ends in the middle of a frame')
}
