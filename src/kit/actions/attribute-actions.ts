import { type AttributeEditor, type AttributeValue, encodeKeyValue } from '../../otlp/attributes.ts'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { remembering } from '../patterns/pattern.ts'
import type { ActionSettings } from './action-settings.ts'
import { convertValue } from './convert-value.ts'
import { hashValue } from './hash-value.ts'

/** Does all actions of a list, in order, on one set of attributes. */
export interface AttributeActions {
  /** Whether the outcome depends on who sent the batch, and not on the attributes alone. */
  readonly dependsOnClient: boolean
  apply(attributes: AttributeEditor, client: ClientInfo | undefined): void
}

type Act = AttributeActions['apply']

export function compileActions(settings: readonly ActionSettings[]): AttributeActions {
  const acts = settings.map(compileAction)
  return {
    dependsOnClient: settings.some((action) => action.from_context !== undefined),
    apply: (attributes, client) => {
      for (const act of acts) act(attributes, client)
    },
  }
}

// What an action needs is there: the settings were checked.
function compileAction(settings: ActionSettings): Act {
  switch (settings.action) {
    case 'insert':
    case 'update':
    case 'upsert':
      return compileSet(settings)
    case 'delete':
      return forKeys(settings, (attributes, key) => attributes.delete(key))
    case 'hash': {
      const algorithm = settings.hash_algorithm ?? 'sha256'
      return forKeys(settings, (attributes, key) => {
        const value = attributes.get(key)
        if (value !== undefined) attributes.set(key, hashValue(value, algorithm))
      })
    }
    case 'extract':
      return compileExtract(settings)
    default:
      return compileConvert(settings)
  }
}

function compileConvert({ key, converted_type }: ActionSettings): Act {
  return (attributes) => {
    const value = attributes.get(key!)
    if (value === undefined) return
    const converted = convertValue(value, converted_type!)
    if (converted !== value) attributes.set(key!, converted)
  }
}

function compileSet({ action, key, ...sources }: ActionSettings): Act {
  const mayAdd = action !== 'update'
  const mayChange = action !== 'insert'
  if (sources.value !== undefined) {
    // Encoded once for all that it is set on.
    const keyValue = encodeKeyValue(key!, sources.value)
    return (attributes) => {
      if (attributes.has(key!) ? mayChange : mayAdd) attributes.setEncoded(key!, keyValue)
    }
  }
  const read = compileSource(sources)
  return (attributes, client) => {
    const value = read(attributes, client)
    if (value === undefined) return
    if (attributes.has(key!) ? mayChange : mayAdd) attributes.set(key!, value)
  }
}

type Source = (
  attributes: AttributeEditor,
  client: ClientInfo | undefined,
) => AttributeValue | undefined

function compileSource(settings: Omit<ActionSettings, 'action' | 'key'>): Source {
  const { from_attribute, from_context, default_value } = settings
  if (from_attribute !== undefined) {
    return (attributes) => {
      const found = attributes.get(from_attribute)
      return found === undefined ? default_value : found
    }
  }
  const read = compileContext(from_context!)
  return (_, client) => (client === undefined ? undefined : read(client)) ?? default_value
}

function compileContext(path: string): (client: ClientInfo) => string | undefined {
  if (path === 'client.address') return ({ address }) => (address === '' ? undefined : address)
  if (path.startsWith('auth.')) {
    const name = path.slice('auth.'.length)
    return ({ auth }) => auth.get(name)
  }
  const header = path.replace(/^metadata\./, '').toLowerCase()
  return ({ metadata }) => {
    const values = metadata.get(header)
    return values === undefined || values.length === 0 ? undefined : values.join(';')
  }
}

function forKeys(
  { key, pattern }: ActionSettings,
  act: (attributes: AttributeEditor, key: string) => void,
): Act {
  const matches = pattern && remembering(pattern)
  return (attributes) => {
    if (key !== undefined && key !== '') act(attributes, key)
    if (matches === undefined) return
    for (const found of attributes.keys()) {
      // What was named has had its turn: a hash must not be hashed again.
      if (found !== key && matches(found)) act(attributes, found)
    }
  }
}

function compileExtract({ key, pattern }: ActionSettings): Act {
  return (attributes) => {
    const value = attributes.get(key!)
    if (typeof value !== 'string') return
    for (const [name, text] of pattern!.groups(value) ?? []) attributes.set(name, text)
  }
}
