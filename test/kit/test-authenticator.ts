import { Refusal } from '../../src/otlp/refusal.ts'
import type { Authenticator, Verdict } from '../../src/pipeline/authenticator.ts'

export interface TestAuthenticator extends Required<Pick<Authenticator, 'server' | 'client'>> {
  /** Verdicts come only when this is called, in the order of the requests; undefined: they come at once. */
  readonly release: () => void
  holdsBack: boolean
  judgedCount: number
  /** What `sign` adds under x-key; a Refusal is thrown. */
  key: string | Refusal
  isSlow: boolean
  /** What becomes the key when a peer has not taken it. */
  nextKey: string | undefined
}

/** Lets in who sends `x-key: good`, under the attribute `subject`, and signs with x-key. */
export function testAuthenticator(): TestAuthenticator {
  const waiting: (() => void)[] = []
  const judge = (key: string | undefined): Verdict =>
    key === 'good'
      ? new Map([['subject', 'tester']])
      : new Refusal('unauthenticated', 'no good key')
  const self: TestAuthenticator = {
    holdsBack: false,
    judgedCount: 0,
    key: 'good',
    isSlow: false,
    nextKey: undefined,
    release: () => waiting.shift()?.(),
    server: {
      challenge: 'Test realm="kit"',
      authenticate: (header) => {
        self.judgedCount++
        const verdict = judge(header('x-key'))
        if (!self.holdsBack) return verdict
        return new Promise((resolve) => waiting.push(() => resolve(verdict)))
      },
    },
    client: {
      sign: (headers, client) => {
        const apply = () => {
          if (self.key instanceof Refusal) throw self.key
          headers['x-key'] = self.key
          if (client !== undefined) headers['x-client'] = client.address
        }
        return self.isSlow ? Promise.resolve().then(apply) : apply()
      },
      rejected: () => {
        if (self.nextKey === undefined) return false
        self.key = self.nextKey
        self.nextKey = undefined
        return true
      },
    },
  }
  return self
}
