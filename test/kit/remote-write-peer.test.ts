/** The receiver that judges our remote write finds fault with each thing the specifications forbid. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import snappyJs from 'snappyjs'
import { encodeMessage, type PlainMessage } from './oracle.ts'
import { type RemoteWritePeer, startRemoteWritePeer } from './remote-write-peer.ts'

let peer: RemoteWritePeer
before(async () => {
  peer = await startRemoteWritePeer()
})
after(() => peer.close())

const v2Headers = {
  'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '2.0.0',
  'user-agent': 'test',
}
const v1Headers = {
  ...v2Headers,
  'content-type': 'application/x-protobuf',
  'x-prometheus-remote-write-version': '0.1.0',
}

const snappy = (bytes: Uint8Array) => Buffer.from(snappyJs.compress(Buffer.from(bytes)))

/** What the peer finds wrong with a request, and its status. */
async function judge(
  body: Uint8Array,
  headers: Record<string, string> = v2Headers,
  method = 'POST',
): Promise<[violations: string, status: number]> {
  const before = peer.violations.length
  const answer = await fetch(peer.url, { method, headers, body: Buffer.from(body) })
  await answer.arrayBuffer()
  return [peer.violations.slice(before).join('\n'), answer.status]
}

let timeMs = 1_000_000n
const symbols = ['', '__name__', 'up', 'job', 'a', 'help', 'trace_id', 'ff', 'x'.repeat(130)]
const buckets = {
  countInt: 5n,
  sum: 3,
  zeroCountInt: 1n,
  zeroThreshold: 0.001,
  positiveSpans: [{ offset: 2, length: 2 }],
  positiveDeltas: [1n, 2n],
}

/** One series that is as it must be, but for what is given; every symbol is referred to. */
function request(series: PlainMessage, names: readonly string[] = symbols): Uint8Array {
  const used = { labelsRefs: [8, 8], timestamp: 1n, value: 1 }
  return encodeMessage('io.prometheus.write.v2.Request', {
    symbols: [...names],
    timeseries: [
      {
        labelsRefs: [1, 2, 3, 4],
        metadata: { type: 2, helpRef: 5 },
        exemplars: [{ labelsRefs: [6, 7], value: 1, timestamp: timeMs }],
        ...(series.samples === undefined && series.histograms === undefined
          ? { samples: [{ value: 1, timestamp: ++timeMs }] }
          : {}),
        ...series,
      },
      // So that the long symbol has a use where it is allowed.
      {
        labelsRefs: [1, 8],
        samples: [{ value: 1, timestamp: ++timeMs }],
        ...(series.exemplars === undefined ? {} : { exemplars: [{ ...used, labelsRefs: [6, 7] }] }),
      },
    ],
  })
}

const histogram = (fields: PlainMessage): PlainMessage => ({
  histograms: [{ ...buckets, timestamp: ++timeMs, ...fields }],
})

test('nothing is wrong with messages as they must be', async () => {
  assert.deepEqual(await judge(snappy(request({}))), ['', 204])
  assert.deepEqual(await judge(snappy(request(histogram({})))), ['', 204])
  const custom = histogram({
    schema: -53,
    customValues: [1, 2, 3, 4],
    zeroThreshold: 0,
    zeroCountInt: 0n,
    countInt: 4n,
  })
  assert.deepEqual(await judge(snappy(request(custom))), ['', 204])
  const v1 = encodeMessage('prometheus.WriteRequest', {
    timeseries: [
      { labels: [{ name: '__name__', value: 'v1' }], samples: [{ value: 1, timestamp: 5n }] },
    ],
  })
  assert.deepEqual(await judge(snappy(v1), v1Headers), ['', 204])
})

const rows: [what: string, series: PlainMessage, violation: RegExp][] = [
  ['an odd number of references', { labelsRefs: [1, 2, 3] }, /odd number/],
  ['a reference beyond the symbols', { labelsRefs: [1, 2, 3, 99] }, /reference 99 of 9/],
  ['labels that are not sorted', { labelsRefs: [3, 4, 1, 2] }, /not sorted/],
  ['a label twice', { labelsRefs: [1, 2, 3, 4, 3, 2] }, /twice/],
  ['an empty label name', { labelsRefs: [0, 4, 1, 2] }, /empty label/],
  ['an empty label value', { labelsRefs: [1, 2, 3, 0] }, /empty label/],
  ['no name', { labelsRefs: [3, 4] }, /no name/],
  ['neither samples nor histograms', { samples: [] }, /not one kind/],
  [
    'samples and histograms',
    { ...histogram({}), samples: [{ value: 1, timestamp: 5n }] },
    /not one kind/,
  ],
  [
    'samples against the order of time',
    {
      samples: [
        { value: 1, timestamp: 2n ** 40n + 1n },
        { value: 1, timestamp: 2n ** 40n },
      ],
    },
    /order of time/,
  ],
  [
    'two samples of one time',
    {
      samples: [
        { value: 1, timestamp: 2n ** 41n },
        { value: 1, timestamp: 2n ** 41n },
      ],
    },
    /order of time/,
  ],
  ['a sample without a time', { samples: [{ value: 1 }] }, /order of time/],
  [
    'a start after the sample',
    { samples: [{ value: 1, timestamp: 2n ** 42n, startTimestamp: 2n ** 43n }] },
    /starts after/,
  ],
  ['the start time of an older 2.0', { createdTimestamp: 5n }, /older 2\.0/],
  ['an exemplar without a time', { exemplars: [{ labelsRefs: [6, 7], value: 1 }] }, /no time/],
  [
    'an exemplar with too long labels',
    { exemplars: [{ labelsRefs: [6, 8], value: 1, timestamp: 1n }] },
    /138 code points/,
  ],
  [
    'an exemplar with a label twice',
    { exemplars: [{ labelsRefs: [6, 7, 6, 7], value: 1, timestamp: 1n }] },
    /labels trace_id,trace_id/,
  ],
  ['an unknown type', { metadata: { type: 8, helpRef: 5 } }, /type 8/],
  ['help beyond the symbols', { metadata: { type: 2, helpRef: 77 } }, /reference 77/],
  ['a count that is not the sum', histogram({ countInt: 6n }), /counts 6, its buckets 5/],
  ['a schema that does not exist', histogram({ schema: 9 }), /schema 9/],
  ['custom bounds without their schema', histogram({ customValues: [1] }), /bounds of its own/],
  [
    'spans without counts',
    histogram({ positiveSpans: [{ offset: 2, length: 3 }] }),
    /3 positive buckets, 2 counts/,
  ],
  [
    'spans that overlap',
    histogram({
      positiveSpans: [
        { offset: 2, length: 1 },
        { offset: -1, length: 1 },
      ],
    }),
    /overlap/,
  ],
  ['negative counts', histogram({ positiveDeltas: [1n, -2n], countInt: 1n }), /negative count/],
  [
    'custom bounds that fall',
    histogram({
      schema: -53,
      customValues: [2, 1],
      zeroThreshold: 0,
      zeroCountInt: 0n,
      countInt: 4n,
    }),
    /bounds 2,1/,
  ],
  ['custom buckets and a zero bucket', histogram({ schema: -53, customValues: [1] }), /and others/],
]

test('each of these is found', async () => {
  for (const [what, series, violation] of rows) {
    const [violations] = await judge(snappy(request(series)))
    assert.match(violations, violation, what)
  }
})

test('a table of symbols is as the specification has it', async () => {
  const first = await judge(snappy(request({}, ['x', ...symbols.slice(1)])))
  assert.match(first[0], /first symbol is not empty/)
  const twice = await judge(snappy(request({}, [...symbols, 'up'])))
  assert.match(twice[0], /symbol comes twice/)
  const idle = await judge(snappy(request({}, [...symbols, 'idle'])))
  assert.match(idle[0], /nothing refers to/)
})

test('fields of another version are found', async () => {
  const v1 = encodeMessage('prometheus.WriteRequest', {
    timeseries: [
      { labels: [{ name: '__name__', value: 'v' }], samples: [{ value: 1, timestamp: 5n }] },
    ],
  })
  assert.match((await judge(snappy(v1)))[0], /no definition names/)
  assert.match((await judge(snappy(request({})), v1Headers))[0], /no definition names/)
  const custom = encodeMessage('prometheus.WriteRequest', {
    timeseries: [
      {
        labels: [{ name: '__name__', value: 'c' }],
        histograms: [{ schema: -53, customValues: [1], timestamp: 5n }],
      },
    ],
  })
  assert.match((await judge(snappy(custom), v1Headers))[0], /1\.0 does not know/)
})

test('headers and the body are as the specification has them', async () => {
  const good = snappy(request({}))
  const plain = request({})
  for (const [name, value, violation] of [
    ['content-type', 'application/x-protobuf;proto=io.prometheus.write.v2', /content type/],
    ['content-type', 'text/plain;v2', /content type/],
    ['x-prometheus-remote-write-version', '0.1.0', /version 0\.1\.0/],
    ['retry-attempt', '0', /attempt 0/],
  ] as const) {
    assert.match((await judge(good, { ...v2Headers, [name]: value }))[0], violation)
  }
  assert.match((await judge(good, v2Headers, 'PUT'))[0], /method PUT/)
  const other = await judge(snappy(plain), { ...v2Headers, 'content-encoding': 'identity' })
  assert.match(other[0], /encoding identity/)
  const [violations, status] = await judge(plain)
  assert.match(violations, /cannot be decoded/)
  assert.equal(status, 400)
  // The other format of snappy, framed, is not meant.
  const framed = Buffer.concat([Buffer.from('ff060000734e61507059', 'hex'), good])
  assert.match((await judge(framed))[0], /cannot be decoded/)
})

test('what goes back in time between requests is found, and another value of the same time', async () => {
  const at = (
    timestamp: bigint,
    value = 1,
    of: PlainMessage = { samples: [{ value, timestamp }] },
  ) =>
    judge(
      snappy(
        request({
          labelsRefs: [1, 5],
          ...of,
          metadata: { helpRef: 4, unitRef: 3 },
          exemplars: [{ labelsRefs: [6, 7, 2, 2], value: 1, timestamp: 1n }],
        }),
      ),
    )
  assert.equal((await at(9_000_000n))[0], '')
  assert.match((await at(8_000_000n))[0], /order of help/)
  assert.equal((await at(9_100_000n, NaN))[0], '')
  assert.equal((await at(9_100_000n, NaN))[0], '')
  assert.match((await at(9_100_000n, 2))[0], /duplicate sample for timestamp 9100000 of help/)
  const native = (sum: number) => at(9_200_000n, 0, histogram({ sum, timestamp: 9_200_000n }))
  assert.equal((await native(3))[0], '')
  assert.equal((await native(3))[0], '')
  assert.match((await native(4))[0], /duplicate sample/)
})
