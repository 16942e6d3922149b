import type { z } from 'zod'
import { type Located, type Path, type Plain, setOwn } from './located.ts'
import { isSecretAt } from './schema-walk.ts'
import { isSecretPath } from './secret-names.ts'

/**
 * The plain value with every secret masked: what a schema calls secret, what its name says is one, what came from a file
 * or a variable of such a name, and passwords in URLs. `schemaOf` gives the schema of a component's path of two steps.
 */
export function redact(root: Located, schemaOf: (path: Path) => z.ZodType | undefined): Plain {
  const visit = (at: Located, path: Path): Plain => {
    if (at.kind === 'list') return at.items.map((item, index) => visit(item, [...path, index]))
    if (at.kind === 'map') {
      const plain = {}
      for (const [key, entry] of at.entries) setOwn(plain, key, visit(entry.value, [...path, key]))
      return plain
    }
    if (at.value === null) return null
    const schema = path.length > 2 ? schemaOf(path.slice(0, 2)) : undefined
    const isNamed = isSecretPath(path.slice(2)) || at.reference?.isPrivate === true
    if (isNamed || (schema !== undefined && isSecretAt(schema, path.slice(2)))) return '[REDACTED]'
    if (typeof at.value !== 'string') return at.value
    return at.value.replaceAll(/(:\/\/)[^/@\s]+@/g, '$1[REDACTED]@')
  }
  return visit(root, [])
}
