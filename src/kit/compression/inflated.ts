/** What every decompressor here shares: how much room to make, what runs at once, and what a failure means. */
import { Refusal } from '../../otlp/refusal.ts'
import { syncDeflatedBytesMax, syncInflatedBytesMax } from './encodings.ts'

/** Whether a body is quick enough to inflate on the event loop. */
export function isQuick(byteLength: number, expectedBytes: number): boolean {
  return byteLength <= syncDeflatedBytesMax && expectedBytes <= syncInflatedBytesMax
}

/**
 * Room for the output in one piece, which saves zlib a copy and a fifth of its time. One byte more than expected, or
 * zlib would ask for a second piece only to see that there is nothing more.
 */
export function roomFor(byteLength: number, expectedBytes: number, byteLengthMax: number): number {
  // The most that deflate can make of one byte; an expectation is the sender's word, and costs memory.
  const ratioMax = 1032
  const chunkBytesMin = 64
  const possible = Math.min(expectedBytes, byteLength * ratioMax, byteLengthMax)
  return Math.max(possible + 1, chunkBytesMin)
}

type Done = (error: Error | null, result: Uint8Array) => void

/** Runs zlib's asynchronous form, for bodies that would hold the event loop for too long. */
export function inLibrary(
  format: string,
  byteLengthMax: number,
  start: (done: Done) => void,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null) resolve(result)
      else reject(refusalOf(format, error, byteLengthMax))
    })
  })
}

/** What zlib's error means to the sender. */
export function refusalOf(format: string, error: unknown, byteLengthMax: number): Refusal {
  if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
    return tooLarge(byteLengthMax)
  }
  return corrupt(format, error instanceof Error ? error.message : String(error))
}

export function tooLarge(byteLengthMax: number): Refusal {
  return new Refusal('too_large', `body inflates to more than ${byteLengthMax} bytes`)
}

export function corrupt(format: string, message: string): Refusal {
  return new Refusal('invalid', `body is not valid ${format}: ${message}`)
}
