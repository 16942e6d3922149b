import { Refusal } from '../../otlp/refusal.ts'
import type { Clock, Timer } from '../../platform/platform.ts'

interface AttemptLimits {
  readonly clock: Clock
  /** 0 means no limit. */
  readonly timeoutMs: number
  /** Ends the attempt, with its reason, when the exporter must end. */
  readonly end: AbortSignal
}

/** One attempt to send, within its limits. `send` is told when its time is over. */
export function attempt<Outcome>(
  { clock, timeoutMs, end }: AttemptLimits,
  send: (abort: AbortSignal) => Promise<Outcome>,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const under = new AbortController()
    let timer: Timer | undefined
    const finish = () => {
      timer?.cancel()
      end.removeEventListener('abort', onEnd)
    }
    // Settles here and not by `send`, so that a send which ignores its signal cannot hold up the stop.
    const giveUp = (reason: unknown) => {
      finish()
      reject(reason)
      under.abort(reason)
    }
    const onEnd = () => giveUp(end.reason)
    if (end.aborted) return onEnd()
    end.addEventListener('abort', onEnd)
    if (timeoutMs > 0) {
      const message = `no answer within ${timeoutMs} ms`
      timer = clock.after(timeoutMs, () => giveUp(new Refusal('deadline_exceeded', message)))
    }
    const sending = (async () => send(under.signal))()
    sending.then(resolve, reject)
    sending.then(finish, finish)
  })
}
