import bcrypt from 'bcryptjs'
import { isSameSecret } from '../../../kit/auth/same-secret.ts'
import { md5Crypt } from './md5-crypt.ts'
import { shaCrypt, shaCryptKinds } from './sha-crypt.ts'

const shaRoundsDefault = 5000
const shaRoundsMin = 1000

/** Whether this is the password of what crypt(3) made, which must be of a form that passwordHash() takes. */
export function matchesCrypt(password: string, encoded: string): boolean {
  const bytes = Buffer.from(password)
  const [, id, ...rest] = encoded.split('$')
  if (id === '1' || id === 'apr1') {
    const [salt, digest] = rest
    // The rest of a longer salt has never counted.
    return isSameSecret(md5Crypt(bytes, salt.slice(0, 8), `$${id}$`), digest)
  }
  if (id !== '5' && id !== '6') return bcrypt.compareSync(password, encoded)
  const rounds = rest.length === 3 ? rest[0].slice('rounds='.length) : String(shaRoundsDefault)
  const [salt, digest] = rest.slice(-2)
  const settings = { salt: salt.slice(0, 16), roundCount: Math.max(shaRoundsMin, Number(rounds)) }
  return isSameSecret(shaCrypt(shaCryptKinds[id], bytes, settings), digest)
}
