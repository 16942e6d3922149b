import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { constants, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { constants as performanceConstants, PerformanceObserver } from 'node:perf_hooks'
import process from 'node:process'
import type { Clock, Disk, DiskFile, Platform, ProcessUsage, Random, Timer } from '../platform.ts'

export const nodeClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after,
  every: (periodMs, callback) => {
    const timer = setInterval(callback, Math.min(periodMs, timerMsMax)).unref()
    return { cancel: () => clearInterval(timer) }
  },
}

export const nodeRandom: Random = {
  next: () => Math.random(),
  bytes: (length) => randomBytes(length),
}

export const nodeDisk: Disk = {
  readFile: (path) => readFileSync(path),
  openAppend: async (path, { truncate }) => {
    // Not opened: where these are sockets, as under systemd, that fails.
    if (path === '/dev/stdout') return streamFile(process.stdout)
    if (path === '/dev/stderr') return streamFile(process.stderr)
    // Not 'w': its writes go on where the last one ended, past the new end of a file that was cut.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND
    if (await isPipe(path)) return diskFile(await openPipe(path))
    return diskFile(await open(path, truncate ? flags | constants.O_TRUNC : flags))
  },
  byteLength: async (path) => {
    try {
      return (await stat(path)).size
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  list: (path) => readdir(path),
}

/**
 * Fails at once (ENXIO) while nobody reads the pipe. The plain way waits for a reader in a thread that nothing wakes and
 * that the end of the process waits for.
 */
async function openPipe(path: string) {
  const probe = await open(path, constants.O_WRONLY | constants.O_NONBLOCK)
  try {
    return await open(path, constants.O_WRONLY)
  } finally {
    await probe.close()
  }
}

async function isPipe(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFIFO()
  } catch {
    // Missing, or not to be looked at: opening it will tell.
    return false
  }
}

function diskFile(handle: Awaited<ReturnType<typeof open>>): DiskFile {
  return {
    append: (bytes) => handle.appendFile(bytes),
    truncate: (byteLength) => handle.truncate(byteLength),
    sync: () => handle.sync(),
    close: () => handle.close(),
  }
}

function streamFile(stream: NodeJS.WriteStream): DiskFile {
  const nothing = () => Promise.resolve()
  // Each write hears of its own failure; unheard, the event of a reader that went away would end the process.
  if (stream.listenerCount('error') === 0) stream.on('error', () => {})
  return {
    append: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => (error ? reject(error) : resolve()))
      }),
    truncate: nothing,
    sync: nothing,
    close: nothing,
  }
}

/** About 25 days. A timer of Node that is told to wait longer fires at once. */
const timerMsMax = 2 ** 31 - 1

function after(delayMs: number, callback: () => void): Timer {
  let timer: NodeJS.Timeout
  const wait = (leftMs: number) => {
    const isLast = leftMs <= timerMsMax
    const go = isLast ? callback : () => wait(leftMs - timerMsMax)
    timer = setTimeout(go, Math.min(leftMs, timerMsMax)).unref()
  }
  wait(delayMs)
  return { cancel: () => clearTimeout(timer) }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

const nodeUsage: ProcessUsage = {
  rssBytes: () => process.memoryUsage.rss(),
  cpuSeconds: () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  },
  heapUsedBytes: () => process.memoryUsage().heapUsed,
  reservedBytes: () => {
    const { heapTotal, external } = process.memoryUsage()
    return heapTotal + external
  },
  availableBytes: () => {
    // libuv reads the cgroup, v1 or v2. Without one it answers 0, or for v1 a number beyond any machine.
    const constrained = process.constrainedMemory()
    return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  },
  watchCollections: (onCollection) => {
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as unknown as CollectionEntry[]) {
        onCollection(collectionKinds[entry.detail?.kind ?? 0] ?? 'other', entry.duration / 1000)
      }
    })
    observer.observe({ entryTypes: ['gc'] })
    return () => observer.disconnect()
  },
}

/** Node's types know only marks and measures. */
interface CollectionEntry {
  readonly duration: number
  readonly detail?: { readonly kind: number }
}

const collectionKinds: Readonly<Record<number, string>> = {
  [performanceConstants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [performanceConstants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [performanceConstants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [performanceConstants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

export const nodePlatform: Platform = {
  clock: nodeClock,
  random: nodeRandom,
  disk: nodeDisk,
  env: process.env,
  usage: nodeUsage,
}
