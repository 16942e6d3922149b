/** The two ends of a benchmark run as processes: the load generator, and the sink that counts what arrives. */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { LoadPlan, LoadResult } from './generator.ts'
import { nextLine, start } from './processes.ts'

/** Generator and sink share it; the gateway has the other one. */
const loadCore = 1

export interface SinkCount {
  readonly items: number
  readonly requests: number
  /** As they came over the wire. */
  readonly bytes: number
}

export async function load(plan: LoadPlan): Promise<LoadResult> {
  const script = join(import.meta.dirname, 'generator.ts')
  const generator = start(loadCore, [process.execPath, script, JSON.stringify(plan)])
  return JSON.parse(await nextLine(generator)) as LoadResult
}

/** Resolves once it listens. */
export async function startSink(port: number): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'sink.ts')
  const sink = start(loadCore, [process.execPath, script, String(port)])
  await nextLine(sink)
  return sink
}

export async function askSink(sink: ChildProcess): Promise<SinkCount> {
  const line = nextLine(sink)
  sink.stdin?.write('count\n')
  return JSON.parse(await line) as SinkCount
}

/** Waits until the sink has all of it, or has not got it in ten seconds. */
export async function drained(sink: ChildProcess, expected: number): Promise<SinkCount> {
  const untilMs = performance.now() + 10_000
  for (;;) {
    const count = await askSink(sink)
    if (count.items >= expected || performance.now() > untilMs) return count
    await new Promise((done) => setTimeout(done, 20))
  }
}
