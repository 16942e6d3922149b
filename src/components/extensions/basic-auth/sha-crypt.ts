import { hash } from 'node:crypto'
import { cryptText, repeated } from './crypt-text.ts'

interface ShaCryptKind {
  readonly algorithm: 'sha256' | 'sha512'
  readonly groups: readonly (readonly number[])[]
}

/** `$5$` and `$6$`, from "Unix crypt using SHA-256 and SHA-512" by Ulrich Drepper. */
export const shaCryptKinds: Readonly<Record<'5' | '6', ShaCryptKind>> = {
  '5': { algorithm: 'sha256', groups: [...rotated(10, [2, 0, 1]), [31, 30]] },
  '6': { algorithm: 'sha512', groups: [...rotated(21, [1, 2, 0]), [63]] },
}

/** Group n takes byte n of each third of the digest; which third comes first goes round. */
function rotated(third: number, turn: readonly number[]): number[][] {
  const order = [0, 1, 2]
  return Array.from({ length: third }, (_, index) => {
    const group = order.map((part) => part * third + index)
    order.splice(0, 3, ...turn.map((from) => order[from]))
    return group
  })
}

interface ShaCryptSettings {
  readonly salt: string
  readonly roundCount: number
}

/** The digest part of `$5$rounds=n$salt$digest` or `$6$...`. */
export function shaCrypt(
  { algorithm, groups }: ShaCryptKind,
  password: Uint8Array,
  { salt, roundCount }: ShaCryptSettings,
): string {
  const sha = (parts: readonly Uint8Array[]) => hash(algorithm, Buffer.concat(parts), 'buffer')
  const saltBytes = Buffer.from(salt)
  const inner = sha([password, saltBytes, password])
  const parts: Uint8Array[] = [password, saltBytes, repeated(inner, password.length)]
  for (let length = password.length; length > 0; length >>= 1) {
    parts.push((length & 1) === 1 ? inner : password)
  }
  let digest = sha(parts)
  const ofPassword = sha([repeated(password, password.length ** 2)])
  const passwordMix = repeated(ofPassword, password.length)
  const ofSalt = sha([repeated(saltBytes, saltBytes.length * (16 + digest[0]))])
  const saltMix = repeated(ofSalt, saltBytes.length)
  for (let round = 0; round < roundCount; round++) {
    const isOdd = (round & 1) === 1
    const mixed: Uint8Array[] = [isOdd ? passwordMix : digest]
    if (round % 3 !== 0) mixed.push(saltMix)
    if (round % 7 !== 0) mixed.push(passwordMix)
    mixed.push(isOdd ? digest : passwordMix)
    digest = sha(mixed)
  }
  return cryptText(digest, groups)
}
