import assert from 'node:assert/strict'
import { test } from 'node:test'
import protobuf from 'protobufjs'

import { requestType } from '../../test/kit/oracle.ts'
import { requests } from './message-fields.ts'
import type { MessageTable, NamedField } from './message-table.ts'
import { signalNames } from './signal.ts'

for (const signal of signalNames) {
  test(`the tables of ${signal} say what proto/ says`, () => {
    compareMessages(requests[signal], requestType(signal), new Set())
  })
}

function compareMessages(table: MessageTable, type: protobuf.Type, seen: Set<protobuf.Type>): void {
  if (seen.has(type)) return
  seen.add(type)
  const byName = (a: object, b: object) => JSON.stringify(a).localeCompare(JSON.stringify(b))
  const ours = table.list.map(describeOurs).sort(byName)
  assert.deepStrictEqual(ours, type.fieldsArray.map(describeTheirs).sort(byName), type.fullName)
  for (const field of table.list) {
    const theirs = type.fields[field.name]?.resolvedType
    if (theirs instanceof protobuf.Type) compareMessages(field.message(), theirs, seen)
    if (theirs instanceof protobuf.Enum)
      assert.deepStrictEqual(Object.fromEntries(field.values?.numbers ?? []), { ...theirs.values })
  }
}

function describeOurs(field: NamedField): object {
  const { name, number, repeated, oneof, hasPresence } = field
  const isId = field.kind === 'traceId' || field.kind === 'spanId'
  return { name, number, kind: isId ? 'bytes' : field.kind, repeated, oneof, hasPresence }
}

function describeTheirs(field: protobuf.Field): object {
  const { name, id: number, repeated, partOf, resolvedType } = field
  const kind =
    resolvedType instanceof protobuf.Type
      ? 'message'
      : resolvedType instanceof protobuf.Enum
        ? 'enum'
        : field.type
  const oneof = partOf === null || partOf.isProto3Optional ? undefined : partOf.name
  return { name, number, kind, repeated, oneof, hasPresence: partOf !== null }
}
