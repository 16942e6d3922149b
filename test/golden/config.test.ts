/**
 * One file a case in config/: a configuration, a line of dashes, and exactly what is said of it. Comments `# env: X=1`,
 * `# set: a.b=1` and `# file: name=text` give the case its surroundings. UPDATE_GOLDEN=1 writes what is said now.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import process from 'node:process'
import { renderComplaints } from '../../src/config/complaint.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { checkConfig } from '../../src/service/check-config.ts'
import { readOnlyDisk } from '../kit/memory-disk.ts'
import { testCatalog } from '../kit/test-catalog.ts'

const folder = new URL('config/', import.meta.url)
const divider = '----------\n'

for (const name of readdirSync(folder).sort()) {
  test(`golden: config/${name}`, () => {
    const file = new URL(name, folder)
    const text = readFileSync(file, 'utf8')
    const cut = text.indexOf(divider)
    const input = cut < 0 ? text : text.slice(0, cut)
    const said = judge(input)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, input + divider + said)
    else assert.equal(said, text.slice(cut + divider.length))
  })
}

function judge(input: string): string {
  const files = { 'gateway.yaml': input, ...Object.fromEntries(remarks(input, 'file')) }
  const sets = remarks(input, 'set').map(([key, value]) => `${key}=${value}`)
  const env = Object.fromEntries(remarks(input, 'env'))
  const loaded = loadConfig({ configs: ['gateway.yaml'], sets }, env, readOnlyDisk(files))
  const { complaints, config } = checkConfig(loaded, testCatalog)
  const verdict = config === undefined ? 'refused' : 'accepted'
  return complaints.length === 0 ? `${verdict}\n` : `${renderComplaints(complaints)}${verdict}\n`
}

function remarks(input: string, kind: string): [string, string][] {
  return [...input.matchAll(/^# (\w+): ([^=\n]+)=(.*)$/gm)]
    .filter((found) => found[1] === kind)
    .map((found) => [found[2], found[3].replaceAll('\\n', '\n')])
}
