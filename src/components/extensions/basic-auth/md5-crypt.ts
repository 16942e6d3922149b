import { hash } from 'node:crypto'
import { cryptText, repeated } from './crypt-text.ts'

const md5 = (parts: readonly Uint8Array[]) => hash('md5', Buffer.concat(parts), 'buffer')

const groups = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]]
const roundCount = 1000

/** The digest part of `$1$salt$digest` and, which differs by its magic alone, of Apache's `$apr1$salt$digest`. */
export function md5Crypt(password: Uint8Array, salt: string, magic: '$1$' | '$apr1$'): string {
  const saltBytes = Buffer.from(salt)
  const inner = md5([password, saltBytes, password])
  const parts: Uint8Array[] = [password, Buffer.from(magic), saltBytes]
  parts.push(repeated(inner, password.length))
  for (let length = password.length; length > 0; length >>= 1) {
    parts.push((length & 1) === 1 ? Buffer.alloc(1) : password.subarray(0, 1))
  }
  let digest = md5(parts)
  for (let round = 0; round < roundCount; round++) {
    const isOdd = (round & 1) === 1
    const mixed: Uint8Array[] = [isOdd ? password : digest]
    if (round % 3 !== 0) mixed.push(saltBytes)
    if (round % 7 !== 0) mixed.push(password)
    mixed.push(isOdd ? digest : password)
    digest = md5(mixed)
  }
  return cryptText(digest, groups)
}
