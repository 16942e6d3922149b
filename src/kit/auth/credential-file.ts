import type { Host } from '../../pipeline/host.ts'
import type { Timer } from '../../platform/platform.ts'

type FileHost = Pick<Host, 'clock' | 'disk' | 'log'>

/** How often a file is looked at: Kubernetes takes a minute or more to renew one in a pod. */
const lookPeriodMs = 5000

interface CredentialFileOptions {
  /** The setting that names the file, for complaints. */
  readonly setting: string
  readonly path: string
  /** Takes what the file says, at the start and whenever it says something else; throws when it is no good. */
  readonly use: (text: string) => void
}

/** A file with credentials in it, read again when it changes. One that is no good any more leaves the last in use. */
export class CredentialFile {
  readonly #options: CredentialFileOptions
  readonly #host: FileHost
  #text: string | undefined
  #looking: Timer | undefined
  #isBroken = false

  constructor(options: CredentialFileOptions, host: FileHost) {
    this.#options = options
    this.#host = host
  }

  /** Throws, naming setting and file, when it cannot be used. */
  start(): void {
    this.#read()
    this.#looking = this.#host.clock.every(lookPeriodMs, () => void this.look())
  }

  stop(): void {
    this.#looking?.cancel()
  }

  /** Looks now; true when there was something new. */
  look(): boolean {
    try {
      const isNew = this.#read()
      this.#isBroken = false
      if (isNew) this.#host.log.info({ file: this.#options.path }, 'credentials were read again')
      return isNew
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (!this.#isBroken) {
        this.#host.log.error({ error: message }, 'credentials cannot be read again, the last stay')
      }
      this.#isBroken = true
      return false
    }
  }

  #read(): boolean {
    const { setting, path, use } = this.#options
    try {
      const text = new TextDecoder().decode(this.#host.disk.readFile(path))
      if (text === this.#text) return false
      use(text)
      this.#text = text
      return true
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`${setting} ${path} cannot be used: ${reason}`, { cause: error })
    }
  }
}
