import { setImmediate } from 'node:timers/promises'
import { CredentialFile } from '../../../kit/auth/credential-file.ts'
import { secretDigest } from '../../../kit/auth/same-secret.ts'
import { countVerdicts } from '../../../kit/auth/verdict-counter.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type {
  Authenticator,
  HeaderOf,
  ServerAuthenticator,
  Verdict,
} from '../../../pipeline/authenticator.ts'
import type { Host } from '../../../pipeline/host.ts'
import { PasswordThread } from './password-thread.ts'
import { type Credentials, readCredentials } from './credentials.ts'
import { readHtpasswd } from './htpasswd.ts'
import type { PasswordHash } from './password-hash.ts'
import { RecentDigests } from './recent-digests.ts'
import type { HtpasswdSettings } from './settings.ts'

/** Costly passwords that wait to be checked; for further ones their clients come again. */
const waitingMax = 64
const acceptedLimits = { countMax: 4096, ageMsMax: 300_000 }
// A sender with a wrong password repeats it by the thousand.
const refusedLimits = { countMax: 4096, ageMsMax: 10_000 }

type Attributes = ReadonlyMap<string, string>

/** Lets in who has a name and a password of the list. */
export class BasicAuthServer implements Authenticator {
  readonly server: ServerAuthenticator
  readonly #inline: string
  readonly #host: Host
  readonly #file: CredentialFile | undefined
  /** By the digest of the header: a costly password is checked once in a while, not for each request. */
  readonly #accepted: RecentDigests<Attributes>
  readonly #refused: RecentDigests<true>
  readonly #checking = new Map<string, Promise<Verdict>>()
  /** Ends when all costly passwords so far are checked: one at a time. */
  #lastCheck: Promise<unknown> = Promise.resolve()
  readonly #thread: Pick<PasswordThread, 'check' | 'stop'>
  #isStopped = false
  #users: ReadonlyMap<string, PasswordHash> = new Map()
  /** Checked for names that are not in the list, so that the time does not tell which ones are. */
  #decoy: PasswordHash | undefined

  constructor(
    { file, inline }: HtpasswdSettings,
    host: Host,
    thread: Pick<PasswordThread, 'check' | 'stop'> = new PasswordThread(),
  ) {
    this.#thread = thread
    this.#inline = inline?.reveal() ?? ''
    this.#host = host
    this.#accepted = new RecentDigests(host.clock, acceptedLimits)
    this.#refused = new RecentDigests(host.clock, refusedLimits)
    this.#use('')
    if (file !== undefined) {
      const use = (text: string) => this.#use(text)
      this.#file = new CredentialFile({ setting: 'htpasswd.file', path: file, use }, host)
    }
    const challenge = 'Basic realm="penstock", charset="UTF-8"'
    const authenticate = (headerOf: HeaderOf) => this.#judge(headerOf)
    this.server = countVerdicts({ challenge, authenticate }, host)
  }

  start(): void {
    this.#file?.start()
  }

  /** Costly passwords that wait then, and those that come later, are refused for now. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#file?.stop()
    await this.#thread.stop()
  }

  /** Inline entries come last and so take the place of those in the file, as in the Collector. */
  #use(fileText: string): void {
    const file = readHtpasswd(fileText, this.#thread.check)
    for (const { line, message } of file.problems) {
      this.#host.log.warn({ line, reason: message }, 'a line of htpasswd.file is left out')
    }
    this.#users = new Map([...file.users, ...readHtpasswd(this.#inline, this.#thread.check).users])
    this.#decoy = this.#users.values().find(({ isCostly }) => isCostly)
    this.#accepted.clear()
    this.#refused.clear()
    this.#checking.clear()
  }

  #judge(headerOf: HeaderOf): Verdict | Promise<Verdict> {
    const header = headerOf('authorization')
    if (header === undefined || header === '') return refusal('no basic auth provided')
    const credentials = readCredentials(header)
    if (typeof credentials === 'string') return refusal(credentials)
    const known = this.#users.get(credentials.username)
    const checked = known ?? this.#decoy
    if (checked === undefined) return refusal(wrong)
    if (!checked.isCostly) {
      return verdictOf(checked.matches(credentials.password) === true, credentials)
    }
    const digest = secretDigest(header).toString('base64')
    const accepted = this.#accepted.get(digest)
    if (accepted !== undefined) {
      // Renewed by use: a sender at work never waits behind a flood of wrong passwords.
      this.#accepted.set(digest, accepted)
      return accepted
    }
    if (this.#refused.get(digest) === true) return refusal(wrong)
    return this.#check(digest, async () => {
      const isMatch = await checked.matches(credentials.password)
      return verdictOf(isMatch && known !== undefined, credentials)
    })
  }

  /** Checks in turn, each after the event loop has had one of its own. */
  #check(digest: string, judge: () => Promise<Verdict>): Verdict | Promise<Verdict> {
    const same = this.#checking.get(digest)
    if (same !== undefined) return same
    if (this.#checking.size >= waitingMax) {
      const message = 'too many passwords to check at once'
      return new Refusal('unavailable', message, { retryAfterMs: 1000 })
    }
    const check = this.#lastCheck.then(async () => {
      await setImmediate()
      const verdict = await this.#outcome(judge)
      // Not if the list has changed meanwhile: what was found is of the old one.
      if (this.#checking.get(digest) !== check) return verdict
      this.#checking.delete(digest)
      if (!(verdict instanceof Refusal)) this.#accepted.set(digest, verdict)
      else if (!verdict.retryable) this.#refused.set(digest, true)
      return verdict
    })
    this.#lastCheck = check
    this.#checking.set(digest, check)
    return check
  }

  async #outcome(judge: () => Promise<Verdict>): Promise<Verdict> {
    try {
      return await judge()
    } catch (error) {
      if (this.#isStopped) {
        const message = 'passwords are no longer checked: basicauth was stopped'
        return new Refusal('unavailable', message, { cause: error })
      }
      this.#host.log.error({ err: error }, 'a password could not be checked')
      return new Refusal('unavailable', 'the password could not be checked', { cause: error })
    }
  }
}

const wrong = 'invalid credentials'

function refusal(message: string): Refusal {
  return new Refusal('unauthenticated', message)
}

function verdictOf(isIn: boolean, { username, raw }: Credentials): Verdict {
  if (!isIn) return refusal(wrong)
  return new Map([
    ['username', username],
    ['raw', raw],
  ])
}
