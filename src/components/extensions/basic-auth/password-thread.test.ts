import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { PasswordThread } from './password-thread.ts'

// crypt(3) of libxcrypt, of "open sesame".
const quick = '$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy'
/** Of the same by bcryptjs itself. */
const usual = '$2b$10$7CLhGWaRtlfb6uv3qdWkx.Tg9hHp/wG/1m5bC/0IyLU3jJrVMWw7S'

/** Of any password: so many rounds take a tenth of a second. */
const manyRounds = `$6$rounds=100000$salt$${'a'.repeat(86)}`

for (const slow of [usual, manyRounds]) {
  test(`the event loop goes on while ${slow.slice(0, 12)} is checked`, async (context) => {
    const thread = new PasswordThread()
    context.after(() => thread.stop())
    // The thread is there before the count begins.
    assert.equal(await thread.check('open sesame', quick), true)
    const check = thread.check('wrong', slow)
    let turnCount = 0
    let isMatch: boolean | undefined
    while (isMatch === undefined) {
      turnCount++
      isMatch = await Promise.race([check, setImmediate(undefined)])
    }
    assert.equal(isMatch, false)
    assert.ok(turnCount > 100, `${turnCount} turns`)
  })
}

test('a thread that fails rejects what it was asked, and a further question begins another', async (context) => {
  const thread = new PasswordThread()
  context.after(() => thread.stop())
  const checks = [thread.check(undefined as never, quick), thread.check('open sesame', quick)]
  for (const check of checks) await assert.rejects(check, TypeError)
  assert.equal(await thread.check('open sesame', quick), true)
})

test('what is under way when it stops is rejected, and so is every further question', async () => {
  const thread = new PasswordThread()
  const check = thread.check('open sesame', usual)
  await Promise.all([assert.rejects(check, /was stopped/), thread.stop()])
  await assert.rejects(thread.check('open sesame', quick), /was stopped/)
})
