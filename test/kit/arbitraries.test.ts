import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'

import { signalNames } from '../../src/otlp/signal.ts'
import { arbitraryRequest } from './arbitraries.ts'
import { decodeRequest, encodeRequest, hexBytes } from './oracle.ts'

for (const signal of signalNames) {
  test(`a ${signal} request written in shuffled order decodes as it was meant`, () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ plain, bytes }) => {
        // An ordinary encoding of the same drops the defaults alike.
        const meant = decodeRequest(signal, encodeRequest(signal, plain))
        assert.deepStrictEqual(decodeRequest(signal, bytes), meant)
      }),
      { numRuns: 60 },
    )
  })
}

test('the oracle keeps fields that no definition names when it is asked to', () => {
  const legacy = '0a11c23e0e0a050a036c696212052a036f6c64'
  const decoded = decodeRequest('traces', hexBytes(legacy), { unknown: true })
  assert.deepStrictEqual(decoded, { resourceSpans: [{ $unknown: [`hex:${legacy.slice(4)}`] }] })
})
