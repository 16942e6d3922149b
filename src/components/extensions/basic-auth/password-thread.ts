import { Worker } from 'node:worker_threads'

export interface PasswordQuestion {
  readonly id: number
  readonly password: string
  readonly encoded: string
}

export interface PasswordAnswer {
  readonly id: number
  readonly isMatch: boolean
}

interface Waiting {
  readonly resolve: (isMatch: boolean) => void
  readonly reject: (error: Error) => void
}

/** Whether a password is the one that was hashed. */
export type PasswordCheck = (password: string, encoded: string) => Promise<boolean>

/** Checks costly passwords off the event loop. The thread begins with the first question. */
export class PasswordThread {
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #lastId = 0
  #isStopped = false

  /** Rejects when the thread fails, and the next question begins another; and from stop() on. */
  readonly check: PasswordCheck = (password, encoded) => {
    if (this.#isStopped) return Promise.reject(new Error(stopped))
    const worker = (this.#worker ??= this.#begin())
    const question: PasswordQuestion = { id: ++this.#lastId, password, encoded }
    return new Promise((resolve, reject) => {
      this.#waiting.set(question.id, { resolve, reject })
      worker.postMessage(question, [])
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#worker?.terminate()
  }

  #begin(): Worker {
    // Beside this file, also once both are compiled.
    const file = new URL(import.meta.url.replace(/thread(\.\w+)$/, 'worker$1'))
    const worker = new Worker(file)
    worker.unref()
    worker.on('message', ({ id, isMatch }: PasswordAnswer) => {
      this.#waiting.get(id)?.resolve(isMatch)
      this.#waiting.delete(id)
    })
    worker.on('error', (error: Error) => this.#fail(worker, error))
    worker.on('exit', () =>
      this.#fail(worker, new Error(this.#isStopped ? stopped : 'the thread has ended')),
    )
    return worker
  }

  #fail(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

const stopped = 'the checking of passwords was stopped'
