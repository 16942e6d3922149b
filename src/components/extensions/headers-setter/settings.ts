import { z } from 'zod'
import { componentId, secret, section, text } from '../../../config/schema.ts'
import { headerName, isHeaderValue } from '../../../kit/auth/header-syntax.ts'
import { authForms } from '../../../pipeline/authenticator.ts'
import type { ConfigProblem } from '../../../pipeline/component.ts'

/** Where a header's value may come from; one of them is needed. */
export const sources = ['value', 'value_file', 'from_context', 'from_attribute'] as const

const headerShape = {
  key: headerName().describe('The header to change.'),
  action: z
    .enum(['insert', 'update', 'upsert', 'delete'])
    .default('upsert')
    .describe('insert leaves a header that is there, update one that is not; upsert does both.'),
  value: secret().optional().describe('The value.'),
  value_file: text().optional().describe('File that holds the value; read again when it changes.'),
  from_context: text()
    .optional()
    .describe("Header of the client's request to take the value of; needs include_metadata."),
  from_attribute: text()
    .optional()
    .describe("Attribute of the client's authentication to take, such as `username` or `subject`."),
  default_value: secret()
    .optional()
    .describe('The value where the client has none; else the header is left alone.'),
}

export const settings = section({
  headers: z.array(z.strictObject(headerShape)).default([]).describe('Done in this order.'),
  additional_auth: componentId()
    .meta({ form: authForms.client })
    .optional()
    .describe('Another client authenticator, whose credentials are added first.'),
})

export type HeadersSetterSettings = z.output<typeof settings>
export type HeaderSettings = HeadersSetterSettings['headers'][number]

/** Whether some value depends on who sent the data. */
export function isPerClient({ headers }: HeadersSetterSettings): boolean {
  return headers.some(
    ({ action, from_context, from_attribute }) =>
      action !== 'delete' && (from_context !== undefined || from_attribute !== undefined),
  )
}

export function checkSettings({ headers }: HeadersSetterSettings): ConfigProblem[] {
  if (headers.length === 0) return [{ path: ['headers'], message: 'must name a header' }]
  return headers.flatMap((header, index) => headerProblems(header, ['headers', index]))
}

function headerProblems(
  header: HeaderSettings,
  path: readonly (string | number)[],
): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const named = sources.filter((source) => header[source] !== undefined)
  if (header.action !== 'delete' && named.length === 0) {
    const message = 'must have value, value_file, from_context or from_attribute'
    problems.push({ path, message })
  }
  if (header.action !== 'delete' && named.length > 1) {
    const message = `cannot be set together with ${named[0]}`
    problems.push({ path: [...path, named[1]], message })
  }
  for (const key of ['value', 'default_value'] as const) {
    if (isHeaderValue(header[key]?.reveal() ?? '')) continue
    const message = 'must be one line without control characters'
    problems.push({ path: [...path, key], message })
  }
  return problems
}
