/** Runs in a thread of its own: a comparison takes a tenth of a second and more, with nothing else going on meanwhile. */
import { parentPort } from 'node:worker_threads'
import bcrypt from 'bcryptjs'
import type { BcryptAnswer, BcryptQuestion } from './bcrypt-thread.ts'

parentPort!.on('message', ({ id, password, encoded }: BcryptQuestion) => {
  const answer: BcryptAnswer = { id, isMatch: bcrypt.compareSync(password, encoded) }
  parentPort!.postMessage(answer, [])
})
