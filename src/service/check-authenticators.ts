/** Whether every `auth.authenticator` names an extension that runs and can do what is asked of it there. */
import { didYouMean } from '../config/nearest.ts'
import { settingsOfForm } from '../config/settings-of-form.ts'
import { type AuthForm, authForms, type AuthSides } from '../pipeline/authenticator.ts'
import type { Catalog } from '../pipeline/component.ts'
import type { Defined, DefinedByKind } from './defined.ts'
import type { Findings } from './findings.ts'
import { hintForUndefined, sectionOf } from './resolve-type.ts'

interface Extensions {
  readonly catalog: Catalog
  readonly defined: DefinedByKind
  /** Those that run. */
  readonly ids: readonly string[]
}

/** An authenticator's id somewhere in the settings of a component. */
interface Mention {
  readonly path: readonly (string | number)[]
  readonly form: AuthForm
  readonly id: string
}

export function checkAuthenticators(
  used: Iterable<Defined>,
  extensions: Extensions,
  findings: Findings,
): void {
  for (const component of used) {
    for (const mention of mentionsIn(component)) {
      const problem = problemOf(mention, extensions)
      if (problem === undefined) continue
      const path = [sectionOf[component.kind], component.id, ...mention.path]
      findings.error(path, `names ${mention.id}, ${problem}`)
    }
  }
}

/**
 * The extensions in an order to start them in: each after those it asks something of, otherwise as listed. Some that ask
 * one another in a circle are complained of.
 */
export function extensionsInOrder(
  { defined, ids }: Extensions,
  findings: Findings,
): readonly string[] {
  const ordered = new Set<string>()
  const visit = (id: string, askers: readonly string[]): void => {
    if (ordered.has(id)) return
    for (const mention of mentionsIn(defined.extension.get(id)!)) {
      if (!ids.includes(mention.id)) continue
      if ([...askers, id].includes(mention.id)) {
        const circle = [...askers, id, mention.id].slice([...askers, id].indexOf(mention.id))
        const message = `must not lead back to where it began: ${circle.join(' > ')}`
        findings.error([sectionOf.extension, id, ...mention.path], message)
      } else visit(mention.id, [...askers, id])
    }
    ordered.add(id)
  }
  for (const id of ids) visit(id, [])
  return [...ordered]
}

const forms: ReadonlySet<string> = new Set(Object.values(authForms))

function mentionsIn({ declaration, config }: Defined): Mention[] {
  if (declaration === undefined || config === undefined) return []
  return settingsOfForm(declaration.config, config, forms).map(({ path, form, value }) => ({
    path,
    form: form as AuthForm,
    id: value,
  }))
}

function problemOf({ id, form }: Mention, extensions: Extensions): string | undefined {
  const { catalog, defined, ids } = extensions
  const extension = defined.extension.get(id)
  if (extension === undefined) {
    const near = didYouMean(id, defined.extension.keys())
    const hint = near || hintForUndefined(catalog, 'extension', id)
    return `which is not defined under extensions${hint}`
  }
  const { declaration, config } = extension
  if (declaration?.kind !== 'extension') return undefined
  if (declaration.authenticates === undefined) return 'which is not an authenticator'
  if (!ids.includes(id)) {
    return 'which is not listed in service.extensions, so it does not run; add it there'
  }
  // What is wrong with its own settings is complained of there.
  if (config === undefined) return undefined
  const isPerClient = dependsOnClient(extension, extensions)
  return missingSide(form, declaration.authenticates(config), isPerClient)
}

/** Whether it, or one whose credentials it adds first, adds what depends on the sender of the data. */
function dependsOnClient(
  extension: Defined,
  extensions: Extensions,
  askers: string[] = [],
): boolean {
  const { id, declaration, config } = extension
  if (declaration?.kind !== 'extension' || config === undefined || askers.includes(id)) return false
  if (declaration.authenticates?.(config).client === 'each') return true
  return mentionsIn(extension).some((mention) => {
    const asked = extensions.defined.extension.get(mention.id)
    return asked !== undefined && dependsOnClient(asked, extensions, [...askers, id])
  })
}

function missingSide(
  form: AuthForm,
  { server, client }: AuthSides,
  isPerClient: boolean,
): string | undefined {
  if (form === authForms.server) {
    if (server === true) return undefined
    return 'which adds credentials to requests that go out, and cannot judge those that come in'
  }
  if (client === undefined) {
    return 'which judges requests that come in, and has no credentials for those that go out'
  }
  if (form === authForms.client || !isPerClient) return undefined
  return 'which adds what each client sent; requests of this exporter hold the data of several'
}
