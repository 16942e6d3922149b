/** No image can be built in every place where tests run: so each step of the Dockerfile is run in an empty folder. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { after, test } from 'node:test'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'penstock-image-'))
const imageUser = 10001
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
}

after(() => rmSync(folder, { recursive: true, force: true }))

interface Stage {
  readonly name: string
  readonly base: string
  readonly folder: string
  readonly steps: [instruction: string, text: string][]
}

/** The stages of a Dockerfile as plain as ours: one instruction a line. */
function stagesOf(dockerfile: string): Stage[] {
  const stages: Stage[] = []
  for (const line of dockerfile.split('\n')) {
    const [instruction, ...rest] = line.split(' ')
    if (line === '' || instruction === '#') continue
    if (instruction === 'FROM') {
      const name = rest[2] ?? 'last'
      stages.push({ name, base: rest[0], folder: join(folder, name), steps: [] })
    } else stages.at(-1)?.steps.push([instruction, rest.join(' ')])
  }
  return stages
}

const stages = stagesOf(readFileSync(join(root, 'Dockerfile'), 'utf8'))
const image = stages.at(-1)
assert.ok(image)

for (const stage of stages) {
  for (const [instruction, text] of stage.steps) {
    if (instruction === 'COPY')
      test(`${stage.name}: COPY ${text}`, () => copy(stage, text.split(' ')))
    if (instruction === 'RUN') {
      test(`${stage.name}: RUN ${text}`, () => {
        execFileSync('sh', ['-ec', text], { cwd: stage.folder, stdio: ['ignore', 'pipe', 'pipe'] })
      })
    }
  }
}

function copy(stage: Stage, words: string[]): void {
  const from = words[0].startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
  const source = from === undefined ? root : join(folder, from)
  const target = words.pop() ?? ''
  mkdirSync(stage.folder, { recursive: true })
  for (const word of words) {
    const path = from === undefined ? join(source, word) : join(folder, from, basename(word))
    const place = target.endsWith('/')
      ? join(stage.folder, target, basename(word))
      : join(stage.folder, target)
    cpSync(path, place, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (file) => !file.endsWith('.test.ts'),
    })
  }
}

test('both stages name the Node that the project pins', () => {
  const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: { node: string }
  }
  const bases = stages.map((stage) => stage.base)
  assert.deepEqual(
    bases,
    bases.map(() => `node:${pinned.devDependencies.node}-bookworm-slim`),
  )
})

test('what is in the image says its version and checks its configuration, as the image user', () => {
  const node = readableNode()
  const run = (...words: string[]) =>
    spawnSync(node, ['dist/bin/penstock.js', ...words], {
      cwd: image.folder,
      encoding: 'utf8',
      ...asImageUser(),
    })
  assert.match(run('--version').stdout, new RegExp(version.replaceAll('.', '\\.')))
  const checked = run('validate', '--config', 'config/gateway.yaml')
  assert.equal(checked.status, 0)
  assert.match(checked.stderr, /^config\/gateway\.yaml: valid, 3 pipelines/)
})

test('the image starts by its own ENTRYPOINT and CMD, and ends with 0 on SIGTERM', async () => {
  const words = (name: string) =>
    JSON.parse(image.steps.find(([instruction]) => instruction === name)?.[1] ?? '[]') as string[]
  const [command, ...rest] = [...words('ENTRYPOINT'), ...words('CMD')]
  assert.equal(command, 'node')
  const free = ['grpc', 'http'].flatMap((protocol) => [
    '--set',
    `receivers.otlp.protocols.${protocol}.endpoint=127.0.0.1:0`,
  ])
  const more = ['exporters.prometheus.endpoint', 'extensions.health_check.endpoint']
  const ports = more.flatMap((key) => ['--set', `${key}=127.0.0.1:0`])
  const level = ['--set', 'service.telemetry.metrics.level=none']
  const child = spawn(readableNode(), [...rest, ...free, ...ports, ...level], {
    cwd: image.folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...asImageUser(),
  })
  let log = ''
  const code = await new Promise<number | null>((done) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.includes('Everything is ready')) child.kill('SIGTERM')
    })
    child.once('exit', done)
  })
  assert.equal(code, 0, log)
})

test('the package holds what it needs: packed and installed in an empty folder, it runs', () => {
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'pipe' })
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  })
  const [{ filename }] = Object.values(JSON.parse(packed) as object) as { filename: string }[]
  const place = join(folder, 'installed')
  mkdirSync(place)
  execFileSync('npm', ['init', '-y'], { cwd: place, stdio: 'pipe' })
  execFileSync('npm', ['install', '--no-save', join(folder, filename)], {
    cwd: place,
    stdio: 'pipe',
  })
  const said = execFileSync('npx', ['penstock', '--version'], { cwd: place, encoding: 'utf8' })
  assert.ok(said.includes(version), said)
})

/** The image's own Node is not here; ours is, in a place that the image user may read. */
function readableNode(): string {
  const node = join(folder, 'node')
  copyFileSync(process.execPath, node)
  for (const path of [folder, node]) chmodSync(path, 0o755)
  return node
}

function asImageUser(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: imageUser, gid: imageUser } : {}
}
