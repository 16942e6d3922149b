import type { z } from 'zod'
import type { Complaint } from './complaint.ts'
import { type Located, type LocatedScalar, type Path, type Plain, setOwn } from './located.ts'
import { isSecretAt } from './schema-walk.ts'
import { isSecretPath } from './secret-names.ts'
import { maskUserInfo } from './user-info.ts'

/** The schema of the component that a path of two steps leads to. */
type SchemaOf = (path: Path) => z.ZodType | undefined

const mask = '[REDACTED]'

/**
 * The plain value with every secret masked: what a schema calls secret, what its name says is one, what came from a file
 * or a variable of such a name, and passwords in URLs.
 */
export function redact(root: Located, schemaOf: SchemaOf): Plain {
  const visit = (at: Located, path: Path): Plain => {
    if (at.kind === 'list') return at.items.map((item, index) => visit(item, [...path, index]))
    if (at.kind === 'map') {
      const plain = {}
      for (const [key, entry] of at.entries) setOwn(plain, key, visit(entry.value, [...path, key]))
      return plain
    }
    if (at.value === null) return null
    if (isSecret(at, path, schemaOf)) return mask
    if (typeof at.value !== 'string') return at.value
    return maskUserInfo(at.value)
  }
  return visit(root, [])
}

/** Every secret of a configuration as text, a line each. */
export function secretTexts(root: Located, schemaOf: SchemaOf): ReadonlySet<string> {
  const texts = new Set<string>()
  const visit = (at: Located, path: Path): void => {
    if (at.kind === 'list') at.items.forEach((item, index) => visit(item, [...path, index]))
    else if (at.kind === 'map') {
      for (const [key, entry] of at.entries) visit(entry.value, [...path, key])
    } else if (at.value !== null && isSecret(at, path, schemaOf)) {
      for (const line of String(at.value).split('\n'))
        if (line.trim() !== '') texts.add(line.trim())
    }
  }
  visit(root, [])
  return texts
}

/** Masks secrets in the line that a complaint shows: those that only a schema knows stand under any name. */
export function scrubExcerpt(complaint: Complaint, secrets: Iterable<string>): Complaint {
  let { excerpt, caret } = complaint
  for (const secret of secrets) {
    for (let at = excerpt.indexOf(secret); at >= 0; at = excerpt.indexOf(secret, at + 1)) {
      const end = at + secret.length
      if (/\w/.test(excerpt[at - 1] ?? '') || /\w/.test(excerpt[end] ?? '')) continue
      excerpt = excerpt.slice(0, at) + mask + excerpt.slice(end)
      if (caret > end) caret += mask.length - secret.length
      at += mask.length
    }
  }
  return excerpt === complaint.excerpt ? complaint : { ...complaint, excerpt, caret }
}

function isSecret({ reference }: LocatedScalar, path: Path, schemaOf: SchemaOf): boolean {
  if (reference?.isPrivate === true || isSecretPath(path.slice(2))) return true
  const schema = path.length > 2 ? schemaOf(path.slice(0, 2)) : undefined
  return schema !== undefined && isSecretAt(schema, path.slice(2))
}
