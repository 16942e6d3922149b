/** What becomes of good samples that come in one request with bad ones, by servers of different habits. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { gauge, metricsBatch, point } from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'
import type { PeerAnswer } from '../../../../test/kit/http-peer.ts'
import type { WrittenRequest, WrittenSample } from '../../../../test/kit/remote-write-peer.ts'
import {
  baseMs,
  closeRemoteWrites,
  type Rig,
  startRemoteWrite,
} from '../../../../test/kit/remote-write-rig.ts'
import { rejectionCauses } from './write-metrics.ts'

afterEach(closeRemoteWrites)

interface Habits {
  /** Whether it keeps the good of a request that it refuses; Prometheus does not by 1.0, Mimir does. */
  readonly keepsParts: boolean
  /** Whether it says which series it minds first. */
  readonly names: boolean
  readonly isBad?: (sample: WrittenSample) => boolean
}

class Server {
  readonly stored = new Map<string, [timeMs: number, value: number][]>()
  readonly #habits: Habits

  constructor(habits: Habits) {
    this.#habits = habits
  }

  readonly respond = ({ samples }: WrittenRequest): PeerAnswer | undefined => {
    const { keepsParts, names } = this.#habits
    const complaints: string[] = []
    const good = samples.filter((sample) => {
      const complaint = this.#complaint(sample)
      if (complaint !== undefined) complaints.push(complaint + (names ? ` ${sample.series}` : ''))
      return complaint === undefined
    })
    if (complaints.length > 0 && !keepsParts) return { status: 400, body: complaints[0] }
    for (const { series, timeMs, value } of good) {
      const own = this.stored.get(series) ?? []
      if (own.at(-1)?.[0] !== timeMs) own.push([timeMs, value])
      this.stored.set(series, own)
    }
    return complaints.length > 0 ? { status: 400, body: complaints[0] } : undefined
  }

  /** As Prometheus judges: by what is stored, not by what comes in the same request. */
  #complaint(sample: WrittenSample): string | undefined {
    if (this.#habits.isBad?.(sample) === true) return 'label name invalid in'
    const [timeMs, value] = this.stored.get(sample.series)?.at(-1) ?? [0, 0]
    if (sample.timeMs < timeMs) return 'out of order sample for series'
    if (sample.timeMs > timeMs || value === sample.value) return undefined
    return 'duplicate sample for timestamp, series'
  }

  get storedCount(): number {
    return [...this.stored.values()].reduce((sum, own) => sum + own.length, 0)
  }
}

const points = (ms: number, seriesCount: number) =>
  Array.from({ length: seriesCount }, (_, id) =>
    point({ id }, { timeUnixNano: BigInt(baseMs + ms) * 1_000_000n, asDouble: ms }),
  )

const batch = (...made: PlainMessage[]) =>
  metricsBatch([gauge('fill', made)], { resource: { 'service.name': 'shop' } })

const round = (ms: number, seriesCount: number) => batch(...points(ms, seriesCount))

/** All of the rounds in one request at first. */
async function send(seriesCount: number, roundCount: number): Promise<Rig> {
  const queue = { min_size: 1_000_000, num_consumers: 1, flush_timeout: '1h' }
  const rig = await startRemoteWrite({ remote_write_queue: queue })
  for (let ms = 1; ms <= roundCount; ms++) await rig.exporter.consume(round(ms, seriesCount))
  return rig
}

const stop = ({ exporter }: Rig) => exporter.stop!(new AbortController().signal)

function counts({ value }: Rig) {
  const causes = rejectionCauses.map((cause) => [
    cause,
    value('penstock_exporter_prometheusremotewrite_rejected_samples', { cause }) ?? 0,
  ])
  return {
    sent: value('otelcol_exporter_sent_metric_points') ?? 0,
    failed: value('otelcol_exporter_send_failed_metric_points') ?? 0,
    causes: Object.fromEntries(causes.filter(([, count]) => count !== 0)),
  }
}

const idOf = ({ series }: WrittenSample) => Number(/id="(\d+)"/.exec(series)![1])
const everyNth =
  (step: number) =>
  (sample: WrittenSample): boolean =>
    idOf(sample) % step === 7

const warnings = ({ host }: Rig) => host.lines.filter(({ level }) => level === 'warn')

describe('isolation of what a server refuses', () => {
  for (const [badCount, names, requestsMax] of [
    [1, false, 21],
    [20, false, 300],
    [100, false, 900],
    [1, true, 2],
    [20, true, 60],
  ] as const) {
    const naming = names ? 'that are named one an answer' : 'that are not named'
    it(`delivers all but ${badCount} of 1000 ${naming}, in ${requestsMax} requests`, async () => {
      const rig = await send(1000, 1)
      const isBad = everyNth(1000 / badCount)
      const server = new Server({ keepsParts: false, names, isBad })
      rig.peer.respond = server.respond
      await stop(rig)
      assert.equal(server.storedCount, 1000 - badCount)
      assert.deepEqual(counts(rig), {
        sent: 1000 - badCount,
        failed: badCount,
        causes: { invalid_labels: badCount },
      })
      assert.ok(rig.peer.requests.length <= requestsMax, String(rig.peer.requests.length))
      assert.equal(warnings(rig).length, 1)
      assert.deepEqual(rig.peer.violations, [])
    })
  }

  it('delivers what lies beside a run of bad neighbours, whose rest is not sought through', async () => {
    const rig = await send(1000, 1)
    const isBad = (sample: WrittenSample) => idOf(sample) >= 100 && idOf(sample) < 450
    const server = new Server({ keepsParts: false, names: false, isBad })
    rig.peer.respond = server.respond
    await stop(rig)
    // A few good ones may share the last group with bad ones.
    assert.ok(server.storedCount >= 600, String(server.storedCount))
    const { sent, failed, causes } = counts(rig)
    assert.deepEqual([sent, failed], [server.storedCount, 1000 - server.storedCount])
    assert.ok(causes.not_isolated > 100)
    assert.equal(causes.invalid_labels + causes.not_isolated, failed)
    assert.ok(rig.peer.requests.length < 400, String(rig.peer.requests.length))
  })

  for (const names of [false, true]) {
    const naming = names ? 'names what it minds' : 'names nothing'
    it(`takes for delivered what a server has kept that ${naming}`, async () => {
      const rig = await send(300, 3)
      const server = new Server({ keepsParts: true, names, isBad: everyNth(1000) })
      rig.peer.respond = server.respond
      await stop(rig)
      assert.equal(server.storedCount, 897)
      assert.deepEqual(counts(rig), { sent: 897, failed: 3, causes: { invalid_labels: 3 } })
      assert.ok(rig.peer.requests.length < 70, String(rig.peer.requests.length))
      assert.equal(warnings(rig).length, 1)
    })

    it(`delivers several samples a series in order to a server that keeps nothing and ${naming}`, async () => {
      const rig = await send(300, 3)
      const server = new Server({ keepsParts: false, names, isBad: everyNth(50) })
      rig.peer.respond = server.respond
      await stop(rig)
      assert.equal(server.storedCount, 294 * 3)
      assert.deepEqual(counts(rig), { sent: 882, failed: 18, causes: { invalid_labels: 18 } })
      for (const [, values] of server.stored) {
        assert.deepEqual(
          values.map(([timeMs]) => timeMs - baseMs),
          [1, 2, 3],
        )
      }
      assert.deepEqual(rig.peer.violations, [])
    })

    it(`counts as lost what comes too late to a server that keeps nothing and ${naming}`, async () => {
      const rig = await send(20, 4)
      const server = new Server({ keepsParts: false, names })
      // Another sender was faster, with all series: two samples of each are older than what is there.
      const series = (id: number) => `fill{id="${id}",job="shop"}`
      for (let id = 0; id < 20; id++) server.stored.set(series(id), [[baseMs + 2.5, 9]])
      rig.peer.respond = server.respond
      await stop(rig)
      assert.equal(server.storedCount, 20 * 3)
      assert.deepEqual(counts(rig), { sent: 40, failed: 40, causes: { out_of_order: 40 } })
    })
  }

  it('loses nothing of what was kept back behind a newer one that a caller will repeat', async () => {
    const rig = await startRemoteWrite({
      remote_write_queue: { enabled: false, num_consumers: 1 },
      retry_on_failure: { enabled: false },
    })
    const server = new Server({ keepsParts: true, names: false, isBad: everyNth(1000) })
    let returnedCount = 0
    rig.peer.respond = (request) => {
      const isNewestOnly = request.samples.every(({ value }) => value === 3)
      if (!isNewestOnly || request.samples.length === 1) return server.respond(request)
      returnedCount += request.samples.length
      return { status: 503 }
    }
    const made = [1, 2, 3].flatMap((ms) => points(ms, 100))
    await assert.rejects(async () => rig.exporter.consume(batch(...made)))
    // The one that the server minds is among them.
    assert.ok(returnedCount > 50, String(returnedCount))
    assert.deepEqual(rig.host.drops, [])
    assert.deepEqual(counts(rig), {
      sent: 300 - 3 * returnedCount,
      failed: 3 * returnedCount,
      causes: {},
    })
  })

  it('takes a late sample of one series for lost, though another one was refused first', async () => {
    const rig = await send(30, 2)
    const server = new Server({ keepsParts: false, names: true, isBad: everyNth(30) })
    server.stored.set('fill{id="20",job="shop"}', [[baseMs + 1.5, 9]])
    rig.peer.respond = server.respond
    await stop(rig)
    assert.deepEqual(counts(rig), {
      sent: 57,
      failed: 3,
      causes: { invalid_labels: 2, out_of_order: 1 },
    })
  })

  it('asks a server that refuses everything less and less, until it takes something again', async () => {
    const rig = await startRemoteWrite({ remote_write_queue: { num_consumers: 1 } })
    const { peer, exporter, settled } = rig
    peer.respond = () => ({ status: 400, body: 'go away' })
    const requestCounts: number[] = []
    const sendRound = async (ms: number) => {
      const before = peer.requests.length
      await exporter.consume(round(ms, 400))
      await settled()
      requestCounts.push(peer.requests.length - before)
    }
    for (let ms = 1; ms <= 5; ms++) await sendRound(ms)
    assert.ok(requestCounts[0] < 100, requestCounts.join())
    assert.ok(requestCounts[4] < 25, requestCounts.join())
    const { sent, failed, causes } = counts(rig)
    assert.deepEqual([sent, failed], [0, 2000])
    assert.ok(causes.other < 200 && causes.other + causes.not_isolated === 2000)
    assert.equal(warnings(rig).length, 2, 'of either kind one a second')
    peer.respond = () => undefined
    await sendRound(6)
    peer.respond = () => ({ status: 400, body: 'go away' })
    await sendRound(7)
    assert.equal(requestCounts[6], requestCounts[0])
    const isBad = everyNth(100)
    peer.respond = ({ samples }) => (samples.some(isBad) ? { status: 400 } : undefined)
    await sendRound(8)
    assert.equal(counts(rig).sent, 400 + 396)
  })

  it('names a series that a server refuses again and again once, and counts each time', async () => {
    const rig = await startRemoteWrite({ remote_write_queue: { num_consumers: 1 } })
    const isBad = everyNth(100)
    rig.peer.respond = ({ samples }) => (samples.some(isBad) ? { status: 400 } : undefined)
    for (let ms = 1; ms <= 3; ms++) {
      await rig.exporter.consume(round(ms, 200))
      await rig.settled()
      await rig.host.clock.advance(2000)
    }
    assert.equal(counts(rig).failed, 3 * 2)
    assert.equal(warnings(rig).length, 1)
  })

  it('finds the end of what is late in one long series', async () => {
    const rig = await send(1, 400)
    const server = new Server({ keepsParts: false, names: false })
    server.stored.set('fill{id="0",job="shop"}', [[baseMs + 100, 9]])
    rig.peer.respond = server.respond
    await stop(rig)
    const { sent, failed } = counts(rig)
    assert.equal(sent + failed, 400)
    assert.ok(sent === 300, String(sent))
    assert.deepEqual(rig.peer.violations, [])
  })

  it('ends at the deadline, with everything counted', async () => {
    const rig = await send(1000, 1)
    const deadline = new AbortController()
    let requestCount = 0
    rig.peer.respond = ({ samples }) => {
      if (++requestCount < 20) return samples.some(everyNth(100)) ? { status: 400 } : undefined
      deadline.abort()
      return 'never'
    }
    await rig.exporter.stop!(deadline.signal)
    assert.equal(rig.peer.requests.length, 20)
    const { sent, failed } = counts(rig)
    assert.equal(sent + failed, 1000)
    assert.equal(rig.host.clock.timerCount, 0)
    assert.equal(rig.host.memory.heldBytes, 0)
  })
})
