import assert from 'node:assert/strict'
import { test } from 'node:test'
import protobuf from 'protobufjs'

import { requestType } from '../../test/kit/oracle.ts'
import {
  dataPointsField,
  isMetricData,
  itemAttributesField,
  metricFields,
  nesting,
  pointAttributesField,
  resourceFields,
  scopeFields,
} from './fields.ts'
import {
  instrumentationScope,
  logRecord,
  metric,
  requests,
  resource,
  span,
} from './message-fields.ts'
import type { MessageTable, NamedField } from './message-table.ts'
import { signalNames } from './signal.ts'

for (const signal of signalNames) {
  test(`the tables of ${signal} say what proto/ says`, () => {
    compareMessages(requests[signal], requestType(signal), new Set())
  })
}

test('the numbers that the index walks by are those of the tables', () => {
  for (const signal of signalNames) {
    const [groups] = requests[signal].list
    const group = groups.message()
    const [resourceField, scopes, schemaUrl] = group.list
    const [scope, members, scopeSchemaUrl] = scopes.message().list
    assert.deepStrictEqual(
      { ...nesting, legacyScopes: undefined },
      {
        group: groups.number,
        resource: resourceField.number,
        scopes: scopes.number,
        legacyScopes: undefined,
        schemaUrl: schemaUrl.number,
        scope: scope.number,
        members: members.number,
      },
    )
    assert.equal(scopeSchemaUrl.number, nesting.schemaUrl)
  }
  assert.deepStrictEqual(numbersOf(resource), resourceFields)
  assert.deepStrictEqual(numbersOf(instrumentationScope), scopeFields)
  assert.deepStrictEqual(numbersOf(metric), metricFields)
  assert.equal(itemAttributesField.traces, span.fields.attributes.number)
  assert.equal(itemAttributesField.logs, logRecord.fields.attributes.number)
  for (const field of metric.list.filter(({ oneof }) => oneof === 'data')) {
    const [points] = field.message().list
    assert.equal(points.number, dataPointsField)
    const attributes = points.message().byKey.get('attributes')
    assert.equal(pointAttributesField(field.number), attributes?.number)
    assert.ok(isMetricData(field.number))
  }
})

function numbersOf(table: MessageTable): Record<string, number> {
  return Object.fromEntries(table.list.map(({ name, number }) => [name, number]))
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
