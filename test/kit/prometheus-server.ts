/** Real Prometheus servers: which ones this machine has, and one of them in a process of its own. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { debianProgram } from './debian-package.ts'
import { eventually, freePorts } from './gateway-process.ts'

export interface PrometheusProgram {
  readonly path: string
  readonly major: number
  /** Such as "Prometheus 2.42.0"; one that was built without saying its version is "Prometheus 3". */
  readonly title: string
}

/** Where `npm run peers:prometheus` puts what it builds. */
const builtPath = resolve(import.meta.dirname, '../peers/prometheus/bin/prometheus')

/**
 * Debian's, and a Prometheus 3 if there is one: PROMETHEUS_BIN, or the one that was built here, or the one in PATH.
 * Says which they are, since they decide which tests there are.
 */
export function prometheusPrograms(): PrometheusProgram[] {
  const debian = describe(debianProgram('prometheus', 'prometheus', '/usr/bin'))
  const named = process.env.PROMETHEUS_BIN
  const candidates = [named, builtPath, debianProgram('prometheus', 'prometheus')]
  const modern = candidates
    .filter((path) => path !== undefined && path !== '' && existsSync(path))
    .map((path) => describe(path as string))
    .find(({ major }) => major >= 3)
  assert.ok(!named || modern?.path === named, `PROMETHEUS_BIN is no Prometheus 3: ${named}`)
  const programs = modern === undefined ? [debian] : [debian, modern]
  const shown = programs.map(({ title, path }) => `${title} (${path})`).join(', ')
  const hint = modern === undefined ? '; for Prometheus 3: npm run peers:prometheus' : ''
  process.stderr.write(`Prometheus servers under test: ${shown}${hint}\n`)
  return programs
}

/**
 * Those from 3.0 on. Without one, a test of its own says what is not judged by it, so that nobody takes silence for
 * success.
 */
export function modernPrograms(subject: string): PrometheusProgram[] {
  const modern = prometheusPrograms().filter(({ major }) => major >= 3)
  if (modern.length === 0) {
    test(`${subject} is NOT judged by a Prometheus 3: there is none here`, (context) => {
      const ways = 'set PROMETHEUS_BIN, run npm run peers:prometheus, or have one in PATH'
      context.diagnostic(`no Prometheus 3 for ${subject}: ${ways}`)
    })
  }
  return modern
}

function describe(path: string): PrometheusProgram {
  const run = (flag: string) => {
    const { stdout, stderr } = spawnSync(path, [flag], { encoding: 'utf8' })
    return stdout + stderr
  }
  const version = /version (\d+)\.(\d+)\.(\d+)/.exec(run('--version'))
  if (version !== null) {
    const [, major, minor, patch] = version
    return { path, major: Number(major), title: `Prometheus ${major}.${minor}.${patch}` }
  }
  // Built without telling it its version, as `go install` does: this flag came with 3.0.
  assert.match(run('--help'), /web\.enable-otlp-receiver/, `${path} is no Prometheus that we know`)
  return { path, major: 3, title: 'Prometheus 3' }
}

export interface ServerOptions {
  /** Of prometheus.yml. */
  readonly config?: string
  readonly features?: readonly string[]
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  /** As the API writes it; undefined for a native histogram. */
  readonly value: string | undefined
  readonly histogram: NativeHistogram | undefined
  readonly timeMs: number
}

export interface NativeHistogram {
  readonly count: string
  readonly sum: string
  /** 0 open on the left, 1 open on the right, 2 open, 3 closed. */
  readonly buckets?: readonly (readonly [kind: number, from: string, to: string, count: string])[]
}

export interface StoredSeries {
  readonly metric: Readonly<Record<string, string>>
  /** Oldest first. */
  readonly values: readonly (readonly [timeMs: number, value: string])[]
  readonly histograms: readonly (readonly [timeMs: number, value: NativeHistogram])[]
}

export interface FoundExemplar {
  readonly labels: Readonly<Record<string, string>>
  readonly value: string
  readonly timeMs: number
}

export class PrometheusServer {
  readonly url: string
  readonly writeUrl: string
  readonly #program: PrometheusProgram
  readonly #options: ServerOptions
  readonly #port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'penstock-prometheus-'))
  #child: ChildProcess | undefined
  #log = ''

  private constructor(program: PrometheusProgram, options: ServerOptions, port: number) {
    this.#program = program
    this.#options = options
    this.#port = port
    this.url = `http://127.0.0.1:${port}`
    this.writeUrl = `${this.url}/api/v1/write`
  }

  /** On a free port with an empty data folder; settles once it answers. */
  static async start(
    program: PrometheusProgram,
    options: ServerOptions = {},
  ): Promise<PrometheusServer> {
    const [port] = await freePorts(1)
    const server = new PrometheusServer(program, options, port)
    await server.start()
    return server
  }

  /** Takes remote write, OTLP where it knows that, exemplars and native histograms. */
  async start(): Promise<void> {
    const file = join(this.#folder, 'prometheus.yml')
    writeFileSync(file, this.#options.config ?? 'global: {}\n')
    const isModern = this.#program.major >= 3
    const features = ['exemplar-storage', ...(this.#options.features ?? [])]
    const child = spawn(
      this.#program.path,
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(this.#folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${this.#port}`,
        '--web.enable-remote-write-receiver',
        ...(isModern ? ['--web.enable-otlp-receiver'] : []),
        `--enable-feature=${features.join(',')}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    this.#child = child
    child.stderr.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-20_000)
    })
    const isReady = async () => {
      assert.equal(child.exitCode, null, this.#log)
      return (await fetch(`${this.url}/-/ready`).catch(() => undefined))?.ok || undefined
    }
    await eventually(isReady, `${this.#program.title} on ${this.url}`, 30_000)
  }

  /** Ends it without warning; its data stay. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((done) => child.once('exit', done))
    child.kill(signal)
    await exited
  }

  /** The `data` of an answer; an error of the API is an error here. */
  async api(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const search = new URLSearchParams(parameters).toString()
    const answer = await fetch(`${this.url}/api/v1/${path}?${search}`).catch((cause: unknown) => {
      throw new Error(`${path} of ${this.#program.title} on ${this.url}\n${this.#log}`, { cause })
    })
    const { status, data, error } = (await answer.json()) as Record<string, unknown>
    assert.equal(status, 'success', `${path} ${search}: ${String(error)}`)
    return data
  }

  /** An instant vector, as of now or of a time. */
  async query(expression: string, timeMs?: number): Promise<Sample[]> {
    const time = String((timeMs ?? Date.now()) / 1000)
    const data = (await this.api('query', { query: expression, time })) as {
      result: {
        metric: Record<string, string>
        value?: [number, string]
        histogram?: [number, NativeHistogram]
      }[]
    }
    return data.result.map(({ metric, value, histogram }) => ({
      metric,
      value: value?.[1],
      histogram: histogram?.[1],
      timeMs: Math.round((value ?? histogram)![0] * 1000),
    }))
  }

  /** The only value of an instant vector, NaN and infinities included. */
  async number(expression: string, timeMs?: number): Promise<number> {
    const found = await this.query(expression, timeMs)
    assert.equal(found.length, 1, `${expression} gives ${JSON.stringify(found)}`)
    return numberOf(found[0].value!)
  }

  /** What is stored of a selector, every sample of the last quarter of an hour. */
  async stored(selector: string): Promise<StoredSeries[]> {
    const data = (await this.api('query', { query: `${selector}[15m]` })) as {
      result: {
        metric: Record<string, string>
        values?: [number, string][]
        histograms?: [number, NativeHistogram][]
      }[]
    }
    const inMs = <T>(pairs: readonly [number, T][] = []) =>
      pairs.map(([seconds, value]) => [Math.round(seconds * 1000), value] as const)
    return data.result.map(({ metric, values, histograms }) => ({
      metric,
      values: inMs(values),
      histograms: inMs(histograms),
    }))
  }

  /** By the text of their series' labels, such as `hits_total{job="a"}`, labels sorted. */
  async exemplars(selector: string): Promise<Map<string, FoundExemplar[]>> {
    const nowSeconds = Date.now() / 1000
    const found = (await this.api('query_exemplars', {
      query: selector,
      start: String(nowSeconds - 900),
      end: String(nowSeconds + 900),
    })) as {
      seriesLabels: Record<string, string>
      exemplars: { labels: Record<string, string>; value: string; timestamp: number }[]
    }[]
    return new Map(
      found.map(({ seriesLabels, exemplars }) => [
        seriesText(seriesLabels),
        exemplars.map(({ labels, value, timestamp }) => ({
          labels,
          value,
          timeMs: Math.round(timestamp * 1000),
        })),
      ]),
    )
  }
}

export function seriesText({ __name__ = '', ...labels }: Readonly<Record<string, string>>): string {
  const names = Object.keys(labels).sort()
  return `${__name__}{${names.map((name) => `${name}=${JSON.stringify(labels[name])}`).join(',')}}`
}

export function numberOf(text: string): number {
  if (text === '+Inf') return Infinity
  return text === '-Inf' ? -Infinity : Number(text)
}
