/** What snappyjs and protobufjs make of a request to the soak's receiver, which reads it with the gateway's own code. */
import assert from 'node:assert/strict'
import snappyJs from 'snappyjs'
import { decodeMessage, type PlainMessage } from '../kit/oracle.ts'
import { checkKnown, list } from '../kit/remote-write-rules.ts'
import { podShape, seriesOfPod } from './soak-series.ts'

/** A request as it was read: uncompressed, and of each sample its series, value and time, one after the other. */
export interface Reading {
  readonly bytes: Uint8Array
  readonly samples: readonly number[]
}

/** Throws unless it was read exactly as the judges read it, and every label is as it must be. */
export function judgeReading(body: Uint8Array, { bytes, samples }: Reading): void {
  const theirs = new Uint8Array(snappyJs.uncompress(body))
  assert(Buffer.compare(theirs, bytes) === 0, 'snappyjs finds other bytes')
  const message = decodeMessage('prometheus.WriteRequest', theirs, { unknown: true })
  checkKnown(message, (holds, what) => assert(holds, what))
  let at = 0
  for (const one of list(message.timeseries)) {
    const index = indexOf(one)
    assert(list(one.samples).length > 0, `series ${index} has no samples`)
    for (const { value = 0, timestamp } of list(one.samples)) {
      const found = samples.slice(at, at + 3)
      const expected = [index, value as number, Number(timestamp)]
      const isSame = expected.every((number, place) => Object.is(number, found[place]))
      assert(isSame, `protobufjs finds ${expected.join()}, not ${found.join()}`)
      at += 3
    }
  }
  assert.equal(samples.length, at, 'more samples than protobufjs finds')
}

/** As the oracle's own arithmetic has it; throws for labels that differ in anything from what the pods' stand for. */
function indexOf(series: PlainMessage): number {
  const labels = list(series.labels)
  const [name, instance, route] = ['__name__', 'instance', 'http_route'].map(
    (key) => labels.find((label) => label.name === key)?.value as string,
  )
  const rest = labels.filter(({ name: key }) => !ownNames.has(key as string))
  const restText = rest.map((label) => `${label.name as string}=${label.value as string}`).join()
  assert(restText === commonText, restText)
  const [, counter] = /^http_server_requests_(\d+)_total$/.exec(name) ?? []
  const [, gauge] = /^http_server_active_(\d+)$/.exec(name) ?? []
  const [, pod] = /^pod-(\d{7})$/.exec(instance) ?? []
  const [, routeNumber] = /^\/api\/v1\/orders\/(\d{5})$/.exec(route) ?? []
  const metric = gauge === undefined ? Number(counter) : podShape.counters + Number(gauge)
  const index = Number(pod) * seriesOfPod + metric * podShape.routes + Number(routeNumber)
  assert(Number.isInteger(index), `unknown series ${name} of ${instance}, ${route}`)
  return index
}

/** What tells the series apart; what they have in common, in the order of labels. */
const ownNames = new Set(['__name__', 'http_route', 'instance'])
const commonText = [
  'http_request_method=GET',
  'http_response_status_code=200',
  'job=shop/checkout',
  'network_protocol_version=1.1',
  'otel_scope_name=io.opentelemetry.http-server',
  'otel_scope_version=2.9.0',
  'server_address=shop.example.com',
].join()
