/**
 * One file a case: a configuration, a line of dashes, and exactly what is said of it. Those in config/ are held to a
 * small catalog that no component can change; those in collector/, written for the Collector, to the real one. Comments
 * `# env: X=1`, `# set: a.b=1` and `# file: name=text` give a case its surroundings. UPDATE_GOLDEN=1 writes what is
 * said now.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { test } from 'node:test'
import { catalog } from '../../src/components/catalog.ts'
import { renderComplaints } from '../../src/config/complaint.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import type { Catalog } from '../../src/pipeline/component.ts'
import { checkConfig } from '../../src/service/check-config.ts'
import { readOnlyDisk } from '../kit/memory-disk.ts'
import { testCatalog } from '../kit/test-catalog.ts'

const divider = '----------\n'
const folder = (name: string) => new URL(name, import.meta.url)
const namesIn = (name: string) =>
  readdirSync(folder(name))
    .sort()
    .map((file) => name + file)

for (const name of namesIn('config/')) goldenTest(name, testCatalog)
for (const name of namesIn('collector/')) goldenTest(name, catalog)

function goldenTest(name: string, components: Catalog): void {
  test(`golden: ${name}`, () => {
    const file = folder(name)
    const text = readFileSync(file, 'utf8')
    const cut = text.indexOf(divider)
    const input = cut < 0 ? text : text.slice(0, cut)
    const said = judge(input, components)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, input + divider + said)
    else assert.equal(said, text.slice(cut + divider.length))
  })
}

function judge(input: string, components: Catalog): string {
  const files = { 'gateway.yaml': input, ...Object.fromEntries(remarks(input, 'file')) }
  const sets = remarks(input, 'set').map(([key, value]) => `${key}=${value}`)
  const env = Object.fromEntries(remarks(input, 'env'))
  const loaded = loadConfig({ configs: ['gateway.yaml'], sets }, env, readOnlyDisk(files))
  const { complaints, config } = checkConfig(loaded, components)
  const verdict = config === undefined ? 'refused' : 'accepted'
  return complaints.length === 0 ? `${verdict}\n` : `${renderComplaints(complaints)}${verdict}\n`
}

function remarks(input: string, kind: string): [string, string][] {
  return [...input.matchAll(/^# (\w+): ([^=\n]+)=(.*)$/gm)]
    .filter((found) => found[1] === kind)
    .map((found) => [found[2], found[3].replaceAll('\\n', '\n')])
}
