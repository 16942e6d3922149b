/** The generated reference is what the declarations say now, and says something of every setting. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { referenceFiles } from '../../src/cli/generate-reference.ts'
import { rawJsonSchema } from '../../src/cli/json-schema.ts'
import { settingsOf } from '../../src/cli/settings.ts'
import { catalog } from '../../src/components/catalog.ts'
import type { ComponentDeclaration } from '../../src/pipeline/component.ts'
import { sectionOf } from '../../src/service/resolve-type.ts'
import { serviceSchema } from '../../src/service/service-schema.ts'

const folder = new URL('../../docs/reference/', import.meta.url)

test('docs/reference is fresh; if not, run `npm run generate`', () => {
  const generated = referenceFiles(catalog)
  const stale = [...generated.keys()].filter((name) => generated.get(name) !== written(name))
  const leftOver = readdirSync(folder).filter((name) => !generated.has(name))
  assert.deepEqual({ stale, leftOver }, { stale: [], leftOver: [] }, 'run `npm run generate`')
})

test('every setting is described where it is declared', () => {
  const silent: string[] = []
  const look = (name: string, schema: Parameters<typeof rawJsonSchema>[0]) => {
    for (const setting of settingsOf(rawJsonSchema(schema))) {
      if (setting.description === '') silent.push(`${name}: ${setting.path}`)
    }
  }
  for (const declarations of Object.values(catalog) as (readonly ComponentDeclaration[])[]) {
    for (const { kind, type, config } of declarations) look(`${sectionOf[kind]}.${type}`, config)
  }
  look('service', serviceSchema)
  assert.deepEqual(silent, [], 'add .describe() to these')
})

function written(name: string): string | undefined {
  try {
    return readFileSync(new URL(name, folder), 'utf8')
  } catch {
    return undefined
  }
}
