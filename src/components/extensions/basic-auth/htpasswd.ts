import type { PasswordCheck } from './password-thread.ts'
import { type PasswordHash, passwordHash } from './password-hash.ts'

export interface PasswordList {
  /** By user; the last line of one counts. */
  readonly users: ReadonlyMap<string, PasswordHash>
  readonly problems: readonly LineProblem[]
}

export interface LineProblem {
  /** Counts from 1. */
  readonly line: number
  readonly message: string
}

/** Reads `user:password` lines. Those left empty and those with # in front say nothing. */
export function readHtpasswd(text: string, check: PasswordCheck): PasswordList {
  const users = new Map<string, PasswordHash>()
  const problems: LineProblem[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const found = colon < 0 ? 'must be user:password' : passwordHash(line.slice(colon + 1), check)
    if (typeof found === 'string') problems.push({ line: index + 1, message: found })
    else users.set(line.slice(0, colon), found)
  }
  return { users, problems }
}
