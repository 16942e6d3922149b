import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { countedSpans, spanNames, spanNamesIn, spansBatch } from '../../../../test/kit/spans.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import { encodeBatch } from '../../../otlp/encode-batch.ts'
import { decodeJson } from '../../../otlp/decode-json.ts'
import { nodeDisk } from '../../../platform/node/node-platform.ts'
import type { Disk } from '../../../platform/platform.ts'
import type { Exporter } from '../../../pipeline/component.ts'
import { fileExporter } from './file-exporter.ts'
import { checkFile, fileSettings } from './settings.ts'

let folder: string
let path: string
let count = 0
const never = new AbortController().signal

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-file-'))
})
beforeEach(() => {
  path = join(folder, `${++count}`, 'traces.json')
})
after(() => rmSync(folder, { recursive: true }))

async function start(settings: object = {}, disk: Disk = nodeDisk) {
  const host = testHost({ id: 'file', signals: ['traces'], disk })
  const exporter = fileExporter(fileSettings.parse({ path, ...settings }), host)
  await exporter.start!()
  return { host, exporter }
}

async function writeAll(exporter: Exporter, ...names: string[]): Promise<void> {
  for (const name of names) await exporter.consume(spansBatch([name]))
}

function lines(file = path): string[] {
  const text = readFileSync(file, 'utf8')
  assert.ok(text === '' || text.endsWith('\n'))
  return text.split('\n').slice(0, -1)
}

function namesIn(file = path): string[] {
  return lines(file).flatMap((line) => spanNamesIn(decodeJson('traces', line)))
}

function frames(file = path): Uint8Array[] {
  const bytes = readFileSync(file)
  const found: Uint8Array[] = []
  for (let offset = 0; offset < bytes.length;) {
    const end = offset + 4 + bytes.readUInt32BE(offset)
    found.push(bytes.subarray(offset + 4, end))
    offset = end
  }
  return found
}

describe('file exporter', () => {
  beforeEach(async () => {
    const { mkdir } = await import('node:fs/promises')
    await mkdir(join(folder, `${count}`))
  })

  it('writes one request a line, which is there once consume has settled', async () => {
    const { exporter, host } = await start()
    await exporter.consume(spansBatch(['a', 'b']))
    assert.deepEqual(namesIn(), ['a', 'b'])
    await exporter.consume(spansBatch(['c']))
    assert.equal(lines().length, 2)
    assert.deepEqual(namesIn(), ['a', 'b', 'c'])
    assert.equal(host.meter.value('otelcol_exporter_sent_spans', { exporter: 'file' }), 3)
    await exporter.stop!(never)
  })

  it('keeps every batch whole and in order when they come faster than the disk', async () => {
    const { exporter } = await start()
    const names = Array.from({ length: 200 }, (_, index) => `n${index}`)
    await Promise.all(names.map(async (name) => exporter.consume(spansBatch([name]))))
    assert.deepEqual(namesIn(), names)
    await exporter.stop!(never)
  })

  it('writes protobuf after its length, and compresses each request by itself', async () => {
    const batch = countedSpans(50)
    const plain = await start({ format: 'proto' })
    await plain.exporter.consume(batch)
    await plain.exporter.consume(batch)
    assert.deepEqual(frames().map(spanNamesIn), [spanNames(batch), spanNames(batch)])
    await plain.exporter.stop!(never)

    const small = await start({ format: 'proto', compression: 'zstd' })
    await small.exporter.consume(batch)
    assert.deepEqual(zstdDecompressSync(frames()[0]), Buffer.from(encodeBatch(batch)))
    await small.exporter.stop!(never)

    const json = await start({ compression: 'zstd' })
    await json.exporter.consume(spansBatch(['a']))
    const text = zstdDecompressSync(frames()[0]).toString()
    assert.deepEqual(spanNamesIn(decodeJson('traces', text)), ['a'])
    await json.exporter.stop!(never)
  })

  it('empties an existing file at start, unless told to append', async () => {
    for (const [settings, expected] of [
      [{}, ['first']],
      [{ append: true }, ['first', 'second']],
      [{}, ['third']],
    ] as const) {
      const { exporter } = await start(settings)
      await writeAll(exporter, expected.at(-1)!)
      await exporter.stop!(never)
      assert.deepEqual(namesIn(), expected)
    }
  })

  it('does not start when the folder is missing', async () => {
    path = join(folder, 'missing', 'x.json')
    await assert.rejects(start(), /ENOENT/)
  })

  it('starts a new file before one would grow over max_megabytes, with the time in the old one’s name', async () => {
    const { exporter, host } = await start({ rotation: { max_megabytes: 1 } })
    const large = 'x'.repeat(600_000)
    await writeAll(exporter, `a${large}`)
    await host.clock.advance(1500)
    await writeAll(exporter, `b${large}`, 'c')
    await exporter.stop!(never)
    const files = readdirSync(join(path, '..')).sort()
    assert.deepEqual(files, ['traces-2026-01-01T00-00-01.500.json', 'traces.json'])
    assert.equal(namesIn(join(path, '..', files[0]))[0][0], 'a')
    assert.deepEqual(
      namesIn().map((name) => name[0]),
      ['b', 'c'],
    )
  })

  it('rotates also between batches that wait together, and loses none of a millisecond', async () => {
    const { exporter } = await start({ rotation: { max_megabytes: 1 } })
    const names = ['a', 'b', 'c', 'd'].map((name) => name + 'x'.repeat(700_000))
    await Promise.all(names.map(async (name) => exporter.consume(spansBatch([name]))))
    await exporter.stop!(never)
    const files = readdirSync(join(path, '..'))
    assert.equal(files.length, 4)
    const all = files.flatMap((file) => namesIn(join(path, '..', file)))
    assert.deepEqual(all.map((name) => name[0]).sort(), ['a', 'b', 'c', 'd'])
    for (const file of files) assert.ok(statSync(join(path, '..', file)).size < 1024 * 1024)
  })

  it('keeps what the file held when it rotates, and removes the oldest over max_backups', async () => {
    for (const name of ['old', 'older', 'oldest', 'other']) {
      const stamp = { old: '03', older: '02', oldest: '01', other: 'x' }[name]
      writeFileSync(join(path, '..', `traces-2025-12-${stamp}T00-00-00.000.json`), '')
    }
    writeFileSync(path, 'x'.repeat(1024 * 1024 - 1) + '\n')
    const { exporter } = await start({ rotation: { max_megabytes: 1, max_backups: 2 } })
    await writeAll(exporter, 'a')
    await exporter.stop!(never)
    assert.deepEqual(readdirSync(join(path, '..')).sort(), [
      'traces-2025-12-03T00-00-00.000.json',
      'traces-2025-12-xT00-00-00.000.json',
      'traces-2026-01-01T00-00-00.000.json',
      'traces.json',
    ])
  })

  it('removes files older than max_days when it rotates', async () => {
    writeFileSync(join(path, '..', 'traces-2025-12-29T00-00-00.000.json'), '')
    writeFileSync(join(path, '..', 'traces-2025-12-31T00-00-00.000.json'), '')
    writeFileSync(path, 'x'.repeat(1024 * 1024))
    const { exporter } = await start({ rotation: { max_megabytes: 1, max_days: 2 } })
    await writeAll(exporter, 'a')
    await exporter.stop!(never)
    assert.equal(
      readdirSync(join(path, '..')).includes('traces-2025-12-29T00-00-00.000.json'),
      false,
    )
    assert.equal(readdirSync(join(path, '..')).length, 3)
  })

  for (const format of ['json', 'proto'] as const) {
    it(`refuses retryably while the disk is full, and cuts off what was torn (${format})`, async () => {
      const disk = new FullDisk()
      const { exporter, host } = await start({ format }, disk)
      await writeAll(exporter, 'a')
      disk.bytesLeft = 10
      await assert.rejects(Promise.resolve(exporter.consume(spansBatch(['b']))), {
        code: 'unavailable',
        message: /cannot write to .*ENOSPC/,
      })
      assert.equal(host.lines[0].message, 'Exporting failed. Rejecting data.')
      assert.deepEqual(host.drops, [])
      disk.bytesLeft = Infinity
      await writeAll(exporter, 'b', 'c')
      await exporter.stop!(never)
      const names = format === 'json' ? namesIn() : frames().flatMap(spanNamesIn)
      assert.deepEqual(names, ['a', 'b', 'c'])
    })
  }

  it('ends at the deadline when the disk hangs, and the caller keeps what was not written', async () => {
    const disk = new FullDisk()
    const { exporter } = await start({}, disk)
    const gate = Promise.withResolvers<void>()
    disk.gate = gate.promise
    const refused = assert.rejects(Promise.resolve(exporter.consume(spansBatch(['a']))), {
      code: 'unavailable',
    })
    const deadline = new AbortController()
    const stopped = exporter.stop!(deadline.signal)
    deadline.abort()
    await stopped
    await refused
    gate.resolve()
  })

  it('names the reason each time for a device that has no end to cut off', async () => {
    path = '/dev/full'
    const { exporter } = await start()
    const full = { code: 'unavailable', message: /ENOSPC/ }
    await assert.rejects(async () => exporter.consume(spansBatch(['a'])), full)
    await assert.rejects(async () => exporter.consume(spansBatch(['b'])), full)
    await exporter.stop!(never)
  })

  it('goes on with a new file at the next rotation when its folder was deleted and is back', async () => {
    const { exporter } = await start({ rotation: { max_megabytes: 1 } })
    const large = 'x'.repeat(700_000)
    await writeAll(exporter, large)
    rmSync(dirname(path), { recursive: true })
    await assert.rejects(async () => exporter.consume(spansBatch([large])), { code: 'unavailable' })
    mkdirSync(dirname(path))
    await writeAll(exporter, large)
    assert.deepEqual(namesIn(), [large])
    await exporter.stop!(never)
  })

  it('refuses when more waits for the disk than it may hold', async () => {
    const disk = new FullDisk()
    const { exporter } = await start({ format: 'proto' }, disk)
    const gate = Promise.withResolvers<void>()
    disk.gate = gate.promise
    const large = spansBatch(['x'.repeat(40 * 1024 * 1024)])
    const first = exporter.consume(large)
    await assert.rejects(Promise.resolve(exporter.consume(large)), { code: 'unavailable' })
    gate.resolve()
    await first
    await exporter.consume(spansBatch(['a']))
    await exporter.stop!(never)
  })
})

describe('file settings', () => {
  it('have the defaults of the Collector', () => {
    const settings = fileSettings.parse({ path: '/x' })
    assert.deepEqual(
      [settings.format, settings.append, settings.flush_interval],
      ['json', false, 1000],
    )
    assert.equal(settings.rotation, undefined)
    const { enabled: _, ...rotation } = fileSettings.parse({ path: '/x', rotation: {} }).rotation!
    assert.deepEqual(rotation, {
      max_megabytes: 100,
      max_days: 0,
      max_backups: 100,
      localtime: false,
    })
  })

  it('do not append together with rotation or compression', () => {
    const problems = (settings: object) =>
      checkFile(fileSettings.parse({ path: '/x', ...settings }))
    assert.equal(problems({ append: true, rotation: {} }).length, 1)
    assert.equal(problems({ append: true, compression: 'zstd' }).length, 1)
    assert.equal(problems({ append: true }).length, 0)
  })

  for (const settings of [
    {},
    { path: '' },
    { path: '/x', group_by: {} },
    { path: '/x', format: 'xml' },
  ]) {
    it(`refuse ${JSON.stringify(settings)}`, () => {
      assert.equal(fileSettings.safeParse(settings).success, false)
    })
  }
})

/** The real disk, until its space is used up: then a write is torn. */
class FullDisk implements Disk {
  bytesLeft = Infinity
  gate: Promise<void> = Promise.resolve()
  readonly readFile = (path: string) => nodeDisk.readFile(path)
  readonly byteLength = (path: string) => nodeDisk.byteLength(path)
  readonly rename = (from: string, to: string) => nodeDisk.rename(from, to)
  readonly remove = (path: string) => nodeDisk.remove(path)
  readonly list = (path: string) => nodeDisk.list(path)

  async openAppend(path: string, options: { truncate: boolean }) {
    const file = await nodeDisk.openAppend(path, options)
    return {
      ...file,
      append: async (bytes: Uint8Array) => {
        await this.gate
        const fits = Math.min(bytes.length, this.bytesLeft)
        this.bytesLeft -= fits
        await file.append(bytes.subarray(0, fits))
        if (fits < bytes.length) {
          throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
        }
      },
    }
  }
}
