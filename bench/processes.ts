/** Processes of a benchmark run: pinned where taskset exists, measured by /proc. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'

/** As on every way to start the gateway: docs/decisions/0005. */
export const gatewayFlags =
  '--initial-old-space-size=96 --max-semi-space-size=2 --single-threaded-gc'

const canPin = spawnSync('taskset', ['-V']).status === 0
const ticksPerSecond = 100

/**
 * The command of another gateway under the same load, where PEER names one: `{config}` in it becomes the file that this
 * one runs with, `{http}`, `{grpc}` and `{sink}` the ports where the benchmark has them.
 */
export function peerCommand(
  config: string,
  ports: Readonly<Record<string, number>>,
): string[] | undefined {
  const filled = process.env.PEER?.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name === 'config' ? config : String(ports[name] ?? whole),
  )
  return filled?.split(/\s+/)
}

/** Starts a command; on core `core` where that can be asked for. */
export function start(
  core: number,
  command: readonly string[],
  { hasChannel = false } = {},
): ChildProcess {
  const [file, ...rest] = canPin ? ['taskset', '-c', String(core), ...command] : command
  const stdio = ['pipe', 'pipe', 'inherit'] as const
  return spawn(file, rest, { stdio: hasChannel ? [...stdio, 'ipc'] : [...stdio] })
}

/** User and system time of a process and the children it has now, in seconds. */
export function cpuSeconds(pid: number): number {
  return familyOf(pid).reduce((sum, one) => sum + cpuOfOne(one), 0)
}

export function rssPeakMb(pid: number): number {
  return statusMb(pid, /VmHWM:\s+(\d+) kB/)
}

export function rssMb(pid: number): number {
  return statusMb(pid, /VmRSS:\s+(\d+) kB/)
}

function statusMb(pid: number, line: RegExp): number {
  return familyOf(pid).reduce((sum, one) => {
    const status = readFileSync(`/proc/${one}/status`, 'utf8')
    return sum + Number(line.exec(status)?.[1] ?? 0) / 1024
  }, 0)
}

/** Waits until a port on loopback takes connections; gives the milliseconds that took. */
export async function listening(port: number, timeoutMs = 15_000): Promise<number> {
  const startedMs = performance.now()
  while (performance.now() - startedMs < timeoutMs) {
    if (await canConnect(port)) return performance.now() - startedMs
    await new Promise((done) => setTimeout(done, 2))
  }
  throw new Error(`nothing listens on port ${port} after ${timeoutMs} ms`)
}

/** The next line a process prints. */
export function nextLine(child: ChildProcess): Promise<string> {
  return new Promise((done, failed) => {
    let text = ''
    const look = (chunk: Buffer) => {
      text += chunk.toString()
      if (!text.includes('\n')) return
      child.stdout?.off('data', look)
      child.off('exit', ended)
      done(text.slice(0, text.indexOf('\n')))
    }
    const ended = (code: number | null) =>
      failed(new Error(`exited with ${code} before it said a line`))
    child.stdout?.on('data', look)
    child.once('exit', ended)
  })
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exited = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  await exited
}

function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return [
    pid,
    ...children
      .split(' ')
      .filter(Boolean)
      .flatMap((child) => familyOf(Number(child))),
  ]
}

function cpuOfOne(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
}
