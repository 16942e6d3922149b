/** The forms of a password in an htpasswd file, as the Collector's library takes them. */
import { hash } from 'node:crypto'
import { isSameSecret } from '../../../kit/auth/same-secret.ts'
import type { PasswordCheck } from './password-thread.ts'

export interface PasswordHash {
  /** Takes milliseconds, made so on purpose: to be asked once for a password, not for every request. */
  readonly isCostly: boolean
  /** Settles later only where it is costly; rejects when it could not be found out. */
  matches(password: string): boolean | Promise<boolean>
}

/** Of crypt(3): the work grows with the square of the length. */
const passwordBytesMax = 512
/** Takes about a second. */
const shaRoundsMax = 1_000_000
/** Each step doubles the work; at this one a comparison takes seconds. */
const bcryptCostMax = 15

/** Reads what stands behind the colon; a text is why it cannot be used, and never says what was found. */
export function passwordHash(encoded: string, check: PasswordCheck): PasswordHash | string {
  if (/^\$2[abxy]?\$/.test(encoded)) return bcryptHash(encoded, check)
  if (encoded.startsWith('{SHA}')) return shaHash(encoded.slice('{SHA}'.length))
  if (encoded.startsWith('{SSHA}')) return saltedShaHash(encoded.slice('{SSHA}'.length))
  const crypt = /^\$(1|apr1|5|6)\$/.exec(encoded)?.[1]
  if (crypt === '1' || crypt === 'apr1') return md5Hash(encoded, `$${crypt}$`, check)
  if (crypt === '5' || crypt === '6') return shaCryptHash(encoded, crypt, check)
  return { isCostly: false, matches: (password) => isSameSecret(password, encoded) }
}

function bcryptHash(encoded: string, check: PasswordCheck): PasswordHash | string {
  const cost = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(encoded)?.[1]
  if (cost === undefined) return 'after $2y$, $2a$ or $2b$ must come a cost, $ and 53 characters'
  if (Number(cost) < 4 || Number(cost) > bcryptCostMax) {
    return `the cost of bcrypt must be from 4 to ${bcryptCostMax}`
  }
  return { isCostly: true, matches: (password) => check(password, encoded) }
}

function shaHash(text: string): PasswordHash | string {
  const digest = Buffer.from(text, 'base64')
  if (digest.length !== 20) return 'after {SHA} must come 20 bytes as base64'
  return {
    isCostly: false,
    matches: (password) =>
      isSameSecret(hash('sha1', password, 'base64'), digest.toString('base64')),
  }
}

function saltedShaHash(text: string): PasswordHash | string {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length <= 20) return 'after {SSHA} must come 20 bytes and a salt as base64'
  const digest = bytes.subarray(0, 20).toString('base64')
  const salt = bytes.subarray(20)
  return {
    isCostly: false,
    matches: (password) => {
      const salted = Buffer.concat([Buffer.from(password), salt])
      return isSameSecret(hash('sha1', salted, 'base64'), digest)
    },
  }
}

function md5Hash(encoded: string, magic: string, check: PasswordCheck): PasswordHash | string {
  const digest = encoded.slice(magic.length).split('$')[1]
  if (digest?.length !== 22) return `after ${magic} must come a salt, $ and 22 characters`
  return costly(encoded, check)
}

function shaCryptHash(encoded: string, id: '5' | '6', check: PasswordCheck): PasswordHash | string {
  const found = /^\$[56]\$(?:rounds=(\d{1,9})\$)?([^$]*)\$([^$]*)$/.exec(encoded)
  const digestLength = id === '5' ? 43 : 86
  if (found?.[3].length !== digestLength) {
    return `after $${id}$ must come a salt, $ and ${digestLength} characters`
  }
  if (Number(found[1] ?? 0) > shaRoundsMax) return `rounds must be at most ${shaRoundsMax}`
  return costly(encoded, check)
}

function costly(encoded: string, check: PasswordCheck): PasswordHash {
  return {
    isCostly: true,
    matches: (password) =>
      Buffer.byteLength(password) <= passwordBytesMax && check(password, encoded),
  }
}
