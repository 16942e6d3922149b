import { Refusal } from '../../../otlp/refusal.ts'
import type { DiskFile } from '../../../platform/platform.ts'
import type { Host } from '../../../pipeline/host.ts'
import { backupPath, removeOldBackups } from './backups.ts'
import type { FileSettings } from './settings.ts'

interface Pending {
  readonly bytes: Uint8Array
  readonly resolve: () => void
  readonly reject: (refusal: Refusal) => void
}

/** What may wait for the disk; beyond it, batches are refused. */
const pendingBytesMax = 64 * 1024 * 1024

/** Appends whole frames, several in one write when they come faster than the disk, and rotates between them. */
export class FileWriter {
  readonly #settings: FileSettings
  readonly #host: Pick<Host, 'disk' | 'clock' | 'log'>
  readonly #rotateAtBytes: number
  #file: DiskFile | undefined
  /** Of whole frames; what the file holds beyond it is a torn write, cut off before the next. */
  #byteLength = 0
  #isTorn = false
  #pending: Pending[] = []
  #pendingBytes = 0
  #writing: Promise<void> | undefined

  constructor(settings: FileSettings, host: Pick<Host, 'disk' | 'clock' | 'log'>) {
    this.#settings = settings
    this.#host = host
    const { rotation } = settings
    this.#rotateAtBytes = rotation === undefined ? Infinity : rotation.max_megabytes * 1024 * 1024
  }

  async open(): Promise<void> {
    const { append, rotation } = this.#settings
    await this.#open({ truncate: !append && rotation === undefined })
  }

  /** Settles once the system has the frame; rejects with a retryable Refusal when the disk does not take it. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes.length > pendingBytesMax) {
      const message = `the disk is too slow: ${this.#pendingBytes} bytes wait for ${this.#settings.path}`
      return Promise.reject(new Refusal('unavailable', message))
    }
    this.#pendingBytes += bytes.length
    return new Promise((resolve, reject) => {
      this.#pending.push({ bytes, resolve, reject })
      this.#writing ??= this.#writeAll()
    })
  }

  /** Settles once all that waits is written and the file is closed. */
  async close(): Promise<void> {
    await this.#writing
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) {
      const frames = this.#takeFrames()
      try {
        await this.#writeOnce(frames.map((frame) => frame.bytes))
        for (const frame of frames) frame.resolve()
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        const message = `cannot write to ${this.#settings.path}: ${reason}`
        const refusal = new Refusal('unavailable', message, { cause: error })
        for (const frame of frames) frame.reject(refusal)
      }
      for (const frame of frames) this.#pendingBytes -= frame.bytes.length
    }
    this.#writing = undefined
  }

  /** As many as stay within one file, but one at least. */
  #takeFrames(): Pending[] {
    let byteLength = this.#byteLength + this.#pending[0].bytes.length
    const isFull = byteLength > this.#rotateAtBytes && this.#byteLength > 0
    if (isFull) byteLength -= this.#byteLength
    let count = 1
    while (count < this.#pending.length) {
      byteLength += this.#pending[count].bytes.length
      if (byteLength > this.#rotateAtBytes) break
      count++
    }
    return this.#pending.splice(0, count)
  }

  async #writeOnce(frames: readonly Uint8Array[]): Promise<void> {
    const bytes = frames.length === 1 ? frames[0] : Buffer.concat(frames)
    if (this.#isTorn) await this.#cutTornWrite()
    if (this.#byteLength > 0 && this.#byteLength + bytes.length > this.#rotateAtBytes) {
      await this.#rotate()
    }
    if (this.#file === undefined) await this.#open({ truncate: false })
    try {
      await this.#file!.append(bytes)
      this.#byteLength += bytes.length
    } catch (error) {
      this.#isTorn = true
      throw error
    }
  }

  async #cutTornWrite(): Promise<void> {
    try {
      await this.#file?.truncate(this.#byteLength)
    } catch (error) {
      // A pipe or a device, which has no end to cut off.
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
    }
    this.#isTorn = false
  }

  async #open({ truncate }: { truncate: boolean }): Promise<void> {
    const { disk } = this.#host
    const { path } = this.#settings
    this.#file = await disk.openAppend(path, { truncate })
    this.#byteLength = (await disk.byteLength(path)) ?? 0
  }

  async #rotate(): Promise<void> {
    const { disk, clock, log } = this.#host
    const { path, rotation } = this.#settings
    const file = this.#file
    this.#file = undefined
    await file?.close()
    // Gone when someone else moved or deleted it: then there is nothing to keep, and a new one begins.
    if ((await disk.byteLength(path)) !== undefined) {
      await disk.rename(path, await backupPath(path, clock.nowMs(), rotation!, disk))
    }
    await this.#open({ truncate: true })
    try {
      await removeOldBackups(path, clock.nowMs(), rotation!, disk)
    } catch (error) {
      // The new file is open and works; what stays behind is tried again at the next rotation.
      const reason = error instanceof Error ? error.message : String(error)
      log.warn({ error: reason, path }, 'Old files could not be removed.')
    }
  }
}
