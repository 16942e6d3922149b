import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { settle } from '../../../test/kit/manual-clock.ts'
import { refuseForGood, refuseForNow, testHost } from '../../../test/kit/test-host.ts'
import { Refusal } from '../../otlp/refusal.ts'
import { Retrier } from './retrier.ts'
import { type RetrySettings, retryOnFailure } from './retry-settings.ts'

function start(change: Partial<RetrySettings> = {}, attempt: () => void = refuseForNow) {
  const host = testHost()
  // No jitter unless a test asks for it, so that the times below are exact.
  const settings = { ...retryOnFailure().parse({ randomization_factor: 0 }), ...change }
  const retrier = new Retrier(settings, host)
  const attemptsMs: number[] = []
  const result = retrier.run(async () => {
    attemptsMs.push(host.clock.monotonicMs())
    return attempt()
  })
  return { host, retrier, attemptsMs, result }
}

describe('retrier', () => {
  it('waits 5 s, then half as long again each time, and never over 30 s', async () => {
    const { host, attemptsMs } = start()
    await host.clock.advance(140_000)
    assert.deepEqual(attemptsMs, [0, 5000, 12_500, 23_750, 40_625, 65_937.5, 95_937.5, 125_937.5])
    const line = host.lines[0]
    assert.equal(line.message, 'Exporting failed. Will retry the request after interval.')
    assert.equal(line.level, 'info')
    assert.deepEqual(line.fields, { error: 'try later', interval: '5s' })
  })

  it('logs the first retry at once, then one line a second that says how many it stands for', async () => {
    const change = { initial_interval: 50, multiplier: 1.5 }
    const { host } = start({ ...change })
    // Retries are due 50, 125, 238, 406, 659, 1039, 1609 and 2463 ms after the start.
    await settle()
    assert.equal(host.lines.length, 1)
    await host.clock.advance(2300)
    assert.deepEqual(
      host.lines.map(({ fields }) => fields),
      [
        { error: 'try later', interval: '0.05s' },
        { error: 'try later', interval: '0.38s', retries: 5 },
        { error: 'try later', interval: '0.854s', retries: 2 },
      ],
    )
  })

  it('says once that exporting works again, and for how long it did not', async () => {
    let isAway = true
    const { host, retrier, result } = start({ initial_interval: 300, multiplier: 1 }, () => {
      if (isAway) refuseForNow()
    })
    await host.clock.advance(2900)
    isAway = false
    await host.clock.advance(60_000)
    assert.equal((await result).delivered, true)
    const back = { level: 'info', fields: { away: '3s' }, message: 'Exporting works again.' }
    assert.deepEqual(host.lines.slice(4), [back])
    await retrier.run(async () => {})
    await host.clock.advance(60_000)
    assert.equal(host.lines.length, 5)
    assert.equal(host.clock.timerCount, 0)
  })

  it('does not say that exporting works again while a request still fails, nor before a second without failure', async () => {
    const { host, retrier } = start({ initial_interval: 10_000, multiplier: 1 })
    const isBack = () => host.lines.some(({ message }) => message.includes('works again'))
    await settle()
    await retrier.run(async () => {})
    await host.clock.advance(5000)
    assert.equal(isBack(), false)
    // It is given up after 5 minutes, which alone says nothing.
    await host.clock.advance(295_000)
    assert.equal(isBack(), false)
    await retrier.run(async () => {})
    await host.clock.advance(900)
    const failing = retrier.run(async () => refuseForNow())
    await host.clock.advance(5000)
    assert.equal(isBack(), false)
    await host.clock.advance(400_000)
    await failing
    await retrier.run(async () => {})
    await host.clock.advance(1000)
    assert.equal(isBack(), true)
  })

  it('writes what it holds back when it is stopped, and works again without a timer', async () => {
    let isAway = true
    const { host, retrier, result } = start({ initial_interval: 50, multiplier: 1 }, () => {
      if (isAway) refuseForNow()
    })
    await host.clock.advance(120)
    isAway = false
    retrier.stop()
    await result
    assert.deepEqual(
      host.lines.map(({ fields }) => fields),
      [
        { error: 'try later', interval: '0.05s' },
        { error: 'try later', interval: '0.05s', retries: 2 },
        { away: '0.12s' },
      ],
    )
    assert.equal(host.clock.timerCount, 0)
  })

  it('draws each wait from the interval within the randomization factor', async () => {
    const { host, attemptsMs } = start({ randomization_factor: 0.5, multiplier: 1 })
    await host.clock.advance(200_000)
    const waitsMs = attemptsMs.slice(1).map((ms, index) => ms - attemptsMs[index])
    assert.ok(waitsMs.length > 20)
    assert.ok(waitsMs.every((ms) => ms >= 2500 && ms <= 7500))
    assert.ok(Math.min(...waitsMs) < 3500 && Math.max(...waitsMs) > 6500)
  })

  it('waits as long as the server asks when that is longer', async () => {
    const answers = [60_000, 1000]
    const { host, attemptsMs } = start({}, () => {
      const retryAfterMs = answers.shift()
      if (retryAfterMs !== undefined) throw new Refusal('exhausted', 'slow', { retryAfterMs })
    })
    await host.clock.advance(100_000)
    assert.deepEqual(attemptsMs, [0, 60_000, 67_500])
  })

  it('comes back after an hour, whatever longer time the server asks for', async () => {
    const answers = [1e12, 7_200_000]
    const respond = () => {
      const retryAfterMs = answers.shift()
      if (retryAfterMs !== undefined) throw new Refusal('exhausted', 'slow', { retryAfterMs })
    }
    const { host, attemptsMs } = start({ max_elapsed_time: 0 }, respond)
    await host.clock.advance(10_000_000)
    assert.deepEqual(attemptsMs, [0, 3_600_000, 7_200_000])
  })

  it('waits beyond an hour where max_interval does', async () => {
    const answers = [1e12]
    const change = { max_elapsed_time: 0, initial_interval: 1000, max_interval: 7_200_000 }
    const { host, attemptsMs } = start(change, () => {
      const retryAfterMs = answers.shift()
      if (retryAfterMs !== undefined) throw new Refusal('exhausted', 'slow', { retryAfterMs })
    })
    await host.clock.advance(10_000_000)
    assert.deepEqual(attemptsMs, [0, 7_200_000])
  })

  it('gives up once the next attempt would come after max_elapsed_time', async () => {
    const { host, attemptsMs, result } = start({ max_elapsed_time: 30_000 })
    await host.clock.advance(60_000)
    const attempted = await result
    assert.deepEqual(attemptsMs, [0, 5000, 12_500, 23_750])
    assert.ok(!attempted.delivered)
    assert.equal(attempted.cause, 'retries_exhausted')
    assert.equal(attempted.refusal.message, 'no more retries left: try later')
    assert.equal(attempted.refusal.code, 'unavailable')
  })

  it('goes on for ever with max_elapsed_time 0', async () => {
    const { host, attemptsMs } = start({ max_elapsed_time: 0 })
    await host.clock.advance(3_600_000)
    assert.ok(attemptsMs.length > 100)
  })

  it('does not repeat what is refused for good', async () => {
    const { host, attemptsMs, result } = start({}, refuseForGood)
    await host.clock.advance(60_000)
    const attempted = await result
    assert.equal(attemptsMs.length, 1)
    assert.ok(!attempted.delivered && attempted.cause === 'permanent_error')
  })

  it('does not repeat anything when it is not enabled', async () => {
    const { attemptsMs, result } = start({ enabled: false })
    const attempted = await result
    assert.equal(attemptsMs.length, 1)
    assert.ok(!attempted.delivered && attempted.cause === 'retries_exhausted')
  })

  it('tries one last time, at once, when it is stopped while waiting', async () => {
    const { host, retrier, attemptsMs, result } = start()
    await host.clock.advance(6000)
    retrier.stop()
    const attempted = await result
    assert.deepEqual(attemptsMs, [0, 5000, 6000])
    assert.ok(!attempted.delivered && attempted.cause === 'shutdown')
    assert.match(attempted.refusal.message, /^interrupted due to shutdown: \w/)
    assert.equal(host.clock.timerCount, 0)
  })

  it('tries one last time when the stop came during an attempt that then failed', async () => {
    let count = 0
    let fail: (() => void) | undefined
    const { retrier, result } = start({}, () => {
      if (++count === 1) {
        return new Promise<void>((_, reject) => {
          fail = () => reject(new Refusal('unavailable', 'cut'))
        }) as unknown as void
      }
    })
    await settle()
    retrier.stop()
    fail!()
    assert.equal((await result).delivered, true)
    assert.equal(count, 2)
  })
})

describe('retry_on_failure', () => {
  it("has the Collector's defaults", () => {
    assert.deepEqual(retryOnFailure().parse(undefined), {
      enabled: true,
      initial_interval: 5000,
      randomization_factor: 0.5,
      multiplier: 1.5,
      max_interval: 30_000,
      max_elapsed_time: 300_000,
    })
  })

  const broken: [settings: object, key: string][] = [
    [{ initial_interval: '-1s' }, 'initial_interval'],
    [{ max_interval: '-1s' }, 'max_interval'],
    [{ max_elapsed_time: '-1s' }, 'max_elapsed_time'],
    [{ randomization_factor: 1.1 }, 'randomization_factor'],
    [{ multiplier: 0 }, 'multiplier'],
    [{ max_elapsed_time: '29s' }, 'max_elapsed_time'],
    [{ enabled: false, initial_interval: '6m', max_interval: '1s' }, 'max_elapsed_time'],
  ]
  for (const [settings, key] of broken) {
    it(`refuses ${JSON.stringify(settings)}`, () => {
      const issues = retryOnFailure().safeParse(settings).error?.issues ?? []
      assert.ok(issues.some((issue) => issue.path[0] === key))
    })
  }

  it('allows any intervals without an elapsed limit', () => {
    retryOnFailure().parse({ max_elapsed_time: '0', initial_interval: '1h', max_interval: '2h' })
  })
})
