/** OTLP/JSON written from plain data by protobufjs's definitions: a second opinion on ours, with every liberty taken. */

import protobuf from 'protobufjs'

import { hexBytes, is64Bit, type Plain, type PlainMessage } from './oracle.ts'

/** Each of `whims` (0 or 1, used in turn) picks one of the spellings a receiver must take. */
export function otlpJson(
  type: protobuf.Type,
  message: PlainMessage,
  whims: readonly number[],
): string {
  let turn = 0
  const whim = (): boolean => whims[turn++ % whims.length] === 1

  const messageText = (of: protobuf.Type, plain: PlainMessage): string => {
    const members = Object.entries(plain).map(([name, value]) => {
      const field = of.fields[name]
      if (field === undefined) throw new Error(`${of.fullName} has no field ${name}`)
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      const key = JSON.stringify(whim() ? name : snake)
      const text = Array.isArray(value)
        ? `[${value.map((element: Plain) => valueText(field, element)).join(' ,')}]`
        : valueText(field, value)
      return whim() ? `${key}:${text}` : `"unknown":[{"a":[]},"]"],\n\t${key} : ${text}`
    })
    return `{${members.join(',')}}`
  }

  const valueText = (field: protobuf.Field, value: Plain): string => {
    const { resolvedType } = field
    if (resolvedType instanceof protobuf.Type)
      return messageText(resolvedType, value as PlainMessage)
    if (resolvedType instanceof protobuf.Enum) {
      const name = resolvedType.valuesById[value as number]
      return whim() && name !== undefined ? `"${name}"` : `${value as number}`
    }
    if (field.type === 'bytes') return bytesText(field.name, value as string)
    if (is64Bit(field)) return whim() ? `"${value as bigint}"` : `${value as bigint}`
    if (field.type === 'double') return doubleText(value as number)
    if (typeof value === 'number') return whim() ? `"${value}"` : `${value}`
    return JSON.stringify(value)
  }

  const bytesText = (name: string, hex: string): string => {
    const digits = hex.slice('hex:'.length)
    if (/^(trace|span|parentSpan)Id$/.test(name))
      return `"${whim() ? digits : digits.toUpperCase()}"`
    return `"${Buffer.from(hexBytes(digits)).toString(whim() ? 'base64' : 'base64url')}"`
  }

  const doubleText = (value: number): string => {
    const text = Object.is(value, -0) ? '-0' : String(value)
    return whim() || !Number.isFinite(value) ? `"${text}"` : text
  }

  return messageText(type, message)
}
