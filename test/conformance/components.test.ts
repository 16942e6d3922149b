/** What holds for every component of the catalog, whoever wrote it: the contract of src/pipeline, checked. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { parse } from 'yaml'
import { catalog } from '../../src/components/catalog.ts'
import type { Batch } from '../../src/otlp/batch.ts'
import { indexRequest } from '../../src/otlp/index-request.ts'
import { Refusal } from '../../src/otlp/refusal.ts'
import type { Signal } from '../../src/otlp/signal.ts'
import type {
  Component,
  ComponentDeclaration,
  ProcessorDeclaration,
} from '../../src/pipeline/component.ts'
import { refuseForGood, refuseForNow, testConnectorHost, testHost } from '../kit/test-host.ts'

const all: ComponentDeclaration[] = Object.values(catalog).flat()

const payloads: Readonly<Record<Signal, Uint8Array>> = {
  traces: readFileSync(new URL('../../bench/payloads/collector-t100.pb', import.meta.url)),
  metrics: readFileSync(new URL('../../bench/payloads/collector-m500.pb', import.meta.url)),
  // A log record with a body; there is no recorded payload of logs.
  logs: Uint8Array.from([0x0a, 0x0a, 0x12, 0x08, 0x12, 0x06, 0x2a, 0x04, 0x0a, 0x02, 0x68, 0x69]),
}

/** The settings of an example, made to fit a test: any free port of loopback, no file of the machine. */
function exampleConfig(yaml: string): unknown {
  const harmless = yaml
    .replaceAll(/(localhost|0\.0\.0\.0|127\.0\.0\.1|\[::1?\]):\d+/g, '127.0.0.1:0')
    .replaceAll(/(path: )\S+/g, '$1/dev/null')
  return parse(harmless) as unknown
}

test('no two components of a kind share a name', () => {
  for (const kind of Object.values(catalog)) {
    const names = kind.flatMap((one: ComponentDeclaration) => [one.type, ...(one.aliases ?? [])])
    assert.deepEqual(names, [...new Set(names)])
  }
})

for (const declaration of all) {
  suite(`${declaration.kind} ${declaration.type}`, () => {
    test('is declared in full', () => {
      assert.match(declaration.type, /^[a-z][a-z0-9_]*$/)
      assert.match(declaration.summary, /^[A-Z].*\.$/s)
      assert.ok(declaration.examples.length > 0, 'there is no example')
      for (const metric of declaration.metrics ?? []) {
        assert.match(metric.name, /^(otelcol|penstock)_[a-z0-9_]+$/)
        assert.match(metric.help, /\.$/)
      }
    })

    for (const { title, yaml } of declaration.examples) {
      test(`has a good example: ${title}`, () => {
        const config = declaration.config.parse(parse(yaml) ?? {})
        const problems = declaration.check?.(config, new Set()) ?? []
        assert.deepEqual(
          problems.filter((problem) => problem.severity !== 'warning'),
          [],
        )
      })
    }

    test('refuses an unknown setting', () => {
      const section = { ...(parse(declaration.examples[0].yaml) as object), no_such_setting: 1 }
      const { error } = declaration.config.safeParse(section)
      assert.ok(error?.issues.some((issue) => issue.code === 'unrecognized_keys'))
    })

    test('records the metrics it declares, each under its own id', () => {
      const host = testHost({ id: `${declaration.type}/named`, signals: signalsOf(declaration) })
      create(declaration, host)
      for (const { name, labels } of host.meter.asked) {
        const declared = declaration.metrics?.find((metric) => metric.name === name)
        assert.ok(declared, `${name} is not declared`)
        assert.deepEqual(Object.keys(labels).sort(), [...(declared.labels ?? [])].sort(), name)
        assert.equal(labels[declaration.kind], host.id, `${name} does not say whose it is`)
      }
    })

    test('starts, stops within its deadline, and leaves no timer and no held byte', async () => {
      const host = testHost({ id: declaration.type, signals: signalsOf(declaration) })
      const component = create(declaration, host)
      await component.start?.()
      await component.stop?.(AbortSignal.timeout(5000))
      assert.equal(host.clock.timerCount, 0)
      assert.equal(host.memory.heldBytes, 0)
    })
  })
}

const tempers: Readonly<Record<string, (batch: Batch) => void | Promise<void>>> = {
  'takes all': () => {},
  'takes all, later': () => new Promise((done) => setImmediate(done)),
  'refuses for now': refuseForNow,
  'refuses for good': refuseForGood,
  'refuses every second one': mixed(),
}

for (const declaration of catalog.processors) {
  for (const signal of declaration.signals) {
    for (const [temper, respond] of Object.entries(tempers)) {
      test(`processor ${declaration.type}, ${signal}: nothing gets lost before one that ${temper}`, () =>
        keepsEveryItem(declaration, signal, respond))
    }
  }
}

/** Offered = delivered + refused + dropped by a named cause, once the processor has stopped. */
async function keepsEveryItem(
  declaration: ProcessorDeclaration,
  signal: Signal,
  respond: (batch: Batch) => void | Promise<void>,
): Promise<void> {
  const host = testHost({ id: declaration.type, signal, signals: [signal] })
  host.sink.respond = respond
  const config = declaration.config.parse(exampleConfig(declaration.examples[0].yaml))
  const processor = declaration.create(config, host)
  await processor.start?.()
  let [offered, refused] = [0, 0]
  for (let round = 0; round < 4; round++) {
    const batch = indexRequest(signal, payloads[signal])
    offered += batch.itemCount
    try {
      await processor.consume(batch)
    } catch (error) {
      assert.ok(error instanceof Refusal, String(error))
      refused += batch.itemCount
    }
    await host.clock.advance(1000)
  }
  const stopped = processor.stop?.(AbortSignal.timeout(50))
  await host.clock.advance(60_000)
  await stopped
  const dropped = host.drops.reduce((sum, drop) => sum + drop.itemCount, 0)
  assert.equal(host.sink.itemCount + refused + dropped, offered)
  assert.equal(host.memory.heldBytes, 0)
  assert.equal(host.clock.timerCount, 0)
}

function create(declaration: ComponentDeclaration, host: ReturnType<typeof testHost>): Component {
  const config = declaration.config.parse(exampleConfig(declaration.examples[0].yaml))
  if (declaration.kind === 'connector') return declaration.create(config, testConnectorHost())
  return (declaration.create as (config: unknown, host: unknown) => Component)(config, host)
}

function signalsOf(declaration: ComponentDeclaration): readonly Signal[] {
  return 'signals' in declaration ? declaration.signals : ['traces']
}

function mixed(): (batch: Batch) => void {
  let count = 0
  return () => {
    if (count++ % 2 === 1) refuseForNow()
  }
}
