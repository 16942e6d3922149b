#!/usr/bin/env -S node --initial-old-space-size=96 --max-semi-space-size=2 --single-threaded-gc
/** argv in, exit code out: the only place that knows the process and the only one that ends it. */
import process from 'node:process'
import { main } from '../src/cli/main.ts'
import { nodePlatform } from '../src/platform/node/node-platform.ts'
import { version } from './version.ts'

const interruptedExitCode = 130
const ending = new AbortController()

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // The first asks for a drain; whoever asks again does not want to wait for it.
    if (ending.signal.aborted) process.exit(interruptedExitCode)
    ending.abort(signal)
  })
}

// Of a terminal that goes, the session ends. A service is asked to read its configuration again.
const hangups = new EventTarget()
process.on('SIGHUP', () => {
  if (process.stderr.isTTY) ending.abort('SIGHUP')
  else hangups.dispatchEvent(new Event('hangup'))
})

// Who pipes into `head` has read enough.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

let hasCrashed = false
process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.stack ?? String(error)}\n`)
  if (hasCrashed) process.exit(1)
  hasCrashed = true
  ending.abort('an uncaught exception')
})

// All timers are unreferenced and listeners close while draining: this alone keeps the process up until main is done.
const alive = setInterval(() => {}, 2 ** 30)
const io = {
  platform: nodePlatform,
  print: (text: string) => void process.stdout.write(text),
  say: (text: string) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  ending: ending.signal,
  hangups,
}
const code = await main(process.argv.slice(2), io, version)
// A pipe takes 64 KiB at a time; what is still waiting for its reader would be lost.
await Promise.race([
  Promise.all([process.stdout, process.stderr].map(drained)),
  ending.signal.aborted || new Promise((done) => ending.signal.addEventListener('abort', done)),
])
clearInterval(alive)
process.exit(hasCrashed ? 1 : code)

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((done) => void stream.write('', () => done()))
}
