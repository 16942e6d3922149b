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
}
const code = await main(process.argv.slice(2), io, version)
clearInterval(alive)
process.exit(hasCrashed ? 1 : code)
