/** A real Penstock in a process of its own, started from YAML text and ended by a real signal. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const startMsMax = 15_000

interface GatewayOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly nodeArguments?: readonly string[]
}

export class GatewayProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'penstock-e2e-'))
  readonly exited: Promise<number | null>
  readonly #child: ChildProcess
  #log = ''
  readonly #watchers = new Set<() => void>()

  constructor(yaml: string, options: GatewayOptions) {
    const file = join(this.folder, 'gateway.yaml')
    writeFileSync(file, yaml.replaceAll('{folder}', this.folder))
    const command = [...(options.nodeArguments ?? []), join(root, 'bin/penstock.ts')]
    this.#child = spawn(process.execPath, [...command, 'run', '--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...options.env },
    })
    this.exited = new Promise((done) => this.#child.once('exit', (code) => done(code)))
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString()
      for (const watcher of this.#watchers) watcher()
    })
  }

  /** Starts one and settles once it says that everything is ready. */
  static async start(yaml: string, options: GatewayOptions = {}): Promise<GatewayProcess> {
    const gateway = new GatewayProcess(yaml, options)
    await gateway.logged('Everything is ready')
    return gateway
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get log(): string {
    return this.#log
  }

  get rssBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  }

  get rssPeakBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  }

  read(file: string): Buffer {
    return readFileSync(join(this.folder, file))
  }

  /** Settles once the log holds `text`; rejects when the process ends before, or after 15 s. */
  async logged(text: string): Promise<void> {
    await new Promise<void>((done, failed) => {
      const finish = (error?: Error) => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        if (error === undefined) done()
        else failed(error)
      }
      const look = () => {
        if (this.#log.includes(text)) finish()
      }
      const timer = setTimeout(
        () => finish(new Error(`"${text}" was not logged in time:\n${this.#log}`)),
        startMsMax,
      )
      this.#watchers.add(look)
      void this.exited.then((code) => finish(new Error(`exited with ${code}:\n${this.#log}`)))
      look()
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Asks it to end and gives its exit code; removes its folder. */
  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.signal(name)
    const code = await this.exited
    rmSync(this.folder, { recursive: true, force: true })
    return code
  }
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((done) => {
          server.listen(0, '127.0.0.1', () => {
            done((server.address() as { port: number }).port)
          })
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

/** Polls until `look` gives something other than undefined; for states of other processes that nobody announces. */
export async function eventually<T>(
  look: () => T | undefined | Promise<T | undefined>,
  what: string,
  timeoutMs = 10_000,
): Promise<T> {
  const untilMs = Date.now() + timeoutMs
  while (Date.now() < untilMs) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error(`${what} did not come about within ${timeoutMs} ms`)
}

/** The value of one series on a Prometheus page, or undefined. */
export function seriesValue(page: string, series: string): number | undefined {
  const line = page.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1).split(' ')[0])
}
