import type { Catalog, ComponentDeclaration } from '../pipeline/component.ts'
import { componentKinds, sectionOf } from '../service/resolve-type.ts'
import { serviceSchema } from '../service/service-schema.ts'
import { type CliIo, exitCodes } from './io.ts'
import { configJsonSchema, rawJsonSchema } from './json-schema.ts'
import { pageName, referenceIndex, referencePage, servicePage } from './reference-page.ts'
import { settingsOf } from './settings.ts'

const folder = 'docs/reference'

/** Every generated file by its name inside docs/reference. */
export function referenceFiles(catalog: Catalog): ReadonlyMap<string, string> {
  const declarations = componentKinds.flatMap((kind) => {
    const list: readonly ComponentDeclaration[] = catalog[sectionOf[kind]]
    return [...list].sort((a, b) => a.type.localeCompare(b.type))
  })
  const files = new Map<string, string>()
  for (const declaration of declarations)
    files.set(pageName(declaration), referencePage(declaration))
  files.set('service.md', servicePage(settingsOf(rawJsonSchema(serviceSchema))))
  files.set('README.md', referenceIndex(declarations))
  const schema = JSON.stringify(configJsonSchema(catalog), null, 2)
  files.set('penstock.schema.json', `${schema}\n`)
  return files
}

/** Writes them under the working directory, and removes pages of components that are no more. */
export async function generateReference(catalog: Catalog, io: CliIo): Promise<number> {
  const { disk } = io.platform
  const files = referenceFiles(catalog)
  for (const name of await disk.list(folder)) {
    if (!files.has(name)) await disk.remove(`${folder}/${name}`)
  }
  for (const [name, text] of files) {
    const file = await disk.openAppend(`${folder}/${name}`, { truncate: true })
    await file.append(new TextEncoder().encode(text))
    await file.close()
  }
  io.say(`${folder}: ${files.size} files written\n`)
  return exitCodes.ok
}
