/** Runs in a thread of its own: a check takes from a few milliseconds to seconds, with nothing else going on meanwhile. */
import { parentPort } from 'node:worker_threads'
import { matchesCrypt } from './matches-crypt.ts'
import type { PasswordAnswer, PasswordQuestion } from './password-thread.ts'

parentPort!.on('message', ({ id, password, encoded }: PasswordQuestion) => {
  const answer: PasswordAnswer = { id, isMatch: matchesCrypt(password, encoded) }
  parentPort!.postMessage(answer, [])
})
