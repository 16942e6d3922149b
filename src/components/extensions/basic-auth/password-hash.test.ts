import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PasswordThread } from './password-thread.ts'
import { passwordHash } from './password-hash.ts'

const thread = new PasswordThread()
after(() => thread.stop())

const sesame = 'open sesame'
const long = 'grün:ß-and-a-long-password-of-more-than-sixty-four-bytes-so-that-it-wraps'

// The crypt forms are from `openssl passwd` and, those with rounds or without a password, from crypt(3) of libxcrypt.
const known: readonly (readonly [encoded: string, password: string, isCostly: boolean])[] = [
  ['open sesame', sesame, false],
  [long, long, false],
  ['{SHA}W8r/fyL/UzygmbNAjq2HbA67qac=', sesame, false],
  ['{SSHA}VHqQZNk1JlEyaVGSBcR8TQQL8qxOYUNs', sesame, false],
  ['$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW', sesame, true],
  ['$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy', sesame, true],
  ['$2a$04$abcdefghijklmnopqrstuuQYEk91mE9jD3s0Fa6l8hqSxfClgS2VO', 'grün', true],
  ['$1$pepper$UGnGpttHHG/xgv/7fHUyJ/', sesame, true],
  ['$1$pepper$/zP0GVMOmx49VMBYEWt9g0', long, true],
  ['$apr1$pepper$q1evYAGW7H1ajwuBjp4yr1', sesame, true],
  ['$apr1$pepper$y5cK62ccvdylXAseTPoT8/', long, true],
  ['$5$pepper$a/AifrFyub3.UKUSvpBIc/R8L3m7O3ShO5zingfs9l6', sesame, true],
  ['$5$pepper$klIS19fe19qyje.qY2GJuhlHllNR1z5OKOLFgJUYtG4', long, true],
  ['$5$pepper$LggumTBv3ySA/PCm0WgonMMmnaDLwY/zrkYJftIZ5g5', '', true],
  [
    '$5$rounds=1400$anotherlongsaltstring$y9/vYV8oUKplrnk6RiHlLDLj8VdTqjmX9lbSAshFl.1',
    sesame,
    true,
  ],
  [
    '$6$pepper$5P45aH7MwtajK5HdTCMcecrPnef9rVQGvNhnAISHB1Yjoggo2Xd0D2lf2AYAMuqJxan3yelO1NgncsZahdFcM1',
    sesame,
    true,
  ],
  [
    '$6$pepper$yiDXer9lg6TM.U324vkOdCp2Hhfhs79uFVQVUNAiSeJBxzjtR8n88fwsCMBY0FRdFmWlhl0P6s0mSR7/xoHb10',
    long,
    true,
  ],
  [
    '$6$rounds=1000$saltstring$AdF0dhxxQeX7lBhEFgFprDLUvtSZ7IYdRFezMwSn6Qhut1SH9kbIGcYsgWgPCQEHCNfc7DGxViV.S4ubwHZG4.',
    sesame,
    true,
  ],
]

for (const [encoded, password, isCostly] of known) {
  test(`${encoded.slice(0, 40)} is known by ${password.length} characters`, async () => {
    const hash = passwordHash(encoded, thread.check)
    assert.ok(typeof hash !== 'string')
    assert.equal(hash.isCostly, isCostly)
    assert.equal(await hash.matches(password), true)
    for (const other of [`${password}x`, password.slice(1) || 'y', 'Open sesame']) {
      assert.equal(await hash.matches(other), false, other)
    }
  })
}

test('what cannot be used is refused without a word of it', () => {
  for (const [encoded, message] of [
    ['$2y$05$tooshort', /^after \$2y\$, \$2a\$ or \$2b\$ must come a cost/],
    ['$2b$16$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy', /must be from 4 to 15$/],
    ['$2b$03$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy', /must be from 4 to 15$/],
    ['$2x$05$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy', /^after \$2y\$/],
    ['{SHA}c2hvcnQ=', /^after {SHA} must come 20 bytes/],
    ['{SSHA}W8r/fyL/UzygmbNAjq2HbA67qac=', /^after {SSHA} must come 20 bytes and a salt/],
    ['$apr1$saltonly', /^after \$apr1\$ must come a salt/],
    ['$1$salt$short', /^after \$1\$ must come a salt/],
    ['$5$salt$short', /and 43 characters$/],
    ['$6$rounds=x$salt$short', /and 86 characters$/],
    [`$5$rounds=1000001$salt$${'a'.repeat(43)}`, /^rounds must be at most 1000000$/],
  ] as const) {
    const problem = passwordHash(encoded, thread.check)
    assert.ok(typeof problem === 'string')
    assert.match(problem, message)
    assert.ok(!problem.includes(encoded.slice(-8)))
  }
})

test('a password that would cost its length squared is none', () => {
  const hash = passwordHash('$1$pepper$UGnGpttHHG/xgv/7fHUyJ/', thread.check)
  assert.ok(typeof hash !== 'string')
  const startMs = performance.now()
  assert.equal(hash.matches('x'.repeat(60_000)), false)
  assert.ok(performance.now() - startMs < 100)
})
