/** Reads text 0.0.4, text 1.0.0 and OpenMetrics, strictly: anything the formats do not allow is an error. */
import assert from 'node:assert/strict'

export interface ExposedSample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: string
  readonly time: string | undefined
  readonly exemplar: string | undefined
}

export interface ExposedFamily {
  readonly type: string
  readonly help: string | undefined
  readonly unit: string | undefined
  readonly samples: ExposedSample[]
}

export function parseExposition(
  page: string,
  form: 'text' | 'openmetrics',
): Map<string, ExposedFamily> {
  const families = new Map<
    string,
    { type: string; help?: string; unit?: string; samples: ExposedSample[] }
  >()
  assert(page === '' || page.endsWith('\n'), 'the last line has no end')
  const lines = page.split('\n').slice(0, -1)
  if (form === 'openmetrics') assert.equal(lines.pop(), '# EOF')
  let current = ''
  let pendingHelp: [string, string] | undefined
  const seen = new Set<string>()
  const owners = new Map<string, string>()
  for (const line of lines) {
    assert.notEqual(line, '', 'a blank line')
    const comment = /^# (HELP|TYPE|UNIT) ("(?:[^"\\]|\\.)*"|\S+) (.*)$/s.exec(line)
    if (comment !== null) {
      const [, word, shown = '', rest = ''] = comment
      const name = shown.startsWith('"') ? unescape(shown.slice(1, -1)) : shown
      if (word === 'HELP' && form === 'text') {
        pendingHelp = [name, unescape(rest)]
        continue
      }
      if (word === 'TYPE') {
        assert(!families.has(name), `two TYPE lines of ${name}`)
        const family = { type: rest, samples: [] }
        families.set(name, pendingHelp?.[0] === name ? { ...family, help: pendingHelp[1] } : family)
        pendingHelp = undefined
        current = name
        take(owners, name, name)
        continue
      }
      const family = families.get(name)
      assert(family !== undefined && family.samples.length === 0, `${word} of ${name} is misplaced`)
      if (word === 'HELP') family.help = unescape(rest)
      else {
        assert(family.type !== 'info' && family.type !== 'stateset', `a unit of ${name}`)
        assert(name.endsWith(`_${rest}`), `the unit ${rest} does not end ${name}`)
        family.unit = rest
      }
      continue
    }
    const sample = parseSample(line)
    const family = families.get(current)
    assert(family !== undefined, `a sample before any TYPE: ${line}`)
    const suffix = sample.name.slice(current.length)
    assert(sample.name.startsWith(current), `${sample.name} stands under ${current}`)
    assert(
      suffixes(family.type, form).includes(suffix),
      `${sample.name} under ${family.type} ${current}`,
    )
    // "Counter": a total is no NaN, and never falls, from 0 on.
    if (form === 'openmetrics' && suffix === '_total')
      assert.doesNotMatch(sample.value, /^(?:NaN|-)/, line)
    if (family.type === 'info') assert.equal(sample.value, '1.0', line)
    if (family.type === 'stateset') {
      assert(sample.labels.has(current) && /^[01]\.0$/.test(sample.value), line)
    }
    const key = `${sample.name} ${JSON.stringify([...sample.labels].sort(([left], [right]) => (left < right ? -1 : 1)))}`
    assert(!seen.has(key), `twice: ${line}`)
    take(owners, sample.name, current)
    seen.add(key)
    if (sample.exemplar !== undefined) {
      assert(form === 'openmetrics' && /^_(bucket|total)$/.test(suffix), `exemplar: ${line}`)
    }
    family.samples.push(sample)
  }
  return families as Map<string, ExposedFamily>
}

/** OpenMetrics, "Metric Naming and Namespaces": names of families and of their samples belong to one family each. */
function take(owners: Map<string, string>, name: string, family: string): void {
  assert((owners.get(name) ?? family) === family, `${name} is of ${owners.get(name)} and ${family}`)
  owners.set(name, family)
}

function suffixes(type: string, form: 'text' | 'openmetrics'): readonly string[] {
  const created = form === 'openmetrics' ? ['_created'] : []
  if (type === 'counter') return form === 'openmetrics' ? ['_total', ...created] : ['']
  if (type === 'histogram') return ['_bucket', '_sum', '_count', ...created]
  if (type === 'summary') return ['', '_sum', '_count', ...created]
  if (type === 'info' && form === 'openmetrics') return ['_info']
  if (type === 'stateset' && form === 'openmetrics') return ['']
  assert(type === 'gauge' || type === (form === 'text' ? 'untyped' : 'unknown'), `type ${type}`)
  return ['']
}

function parseSample(line: string): ExposedSample {
  const labels = new Map<string, string>()
  let name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0] ?? ''
  let at = name.length
  if (line[at] === '{') {
    at++
    while (line[at] !== '}') {
      const item =
        /^(?:"((?:[^"\\]|\\.)*)"|([a-zA-Z_][a-zA-Z0-9_]*))(?:="((?:[^"\\\n]|\\[\\"n])*)")?(,|(?=\}))/
      const found = item.exec(line.slice(at))
      assert(found !== null, `labels of: ${line}`)
      at += found[0].length
      const [, quoted, bare, value] = found
      if (value === undefined) {
        assert(name === '' && quoted !== undefined, `a name among the labels of: ${line}`)
        name = unescape(quoted)
      } else {
        const label = quoted === undefined ? bare : unescape(quoted)
        assert(!labels.has(label), `label ${label} twice: ${line}`)
        assert.notEqual(value, '', `label ${label} is empty: ${line}`)
        labels.set(label, unescape(value))
      }
    }
    at++
  }
  assert.notEqual(name, '', `no name: ${line}`)
  const rest = /^ (\S+)(?: (-?[\d.]+))?(?: # (\{.*\} \S+(?: [\d.]+)?))?$/s.exec(line.slice(at))
  assert(rest !== null, `value of: ${line}`)
  return { name, labels, value: rest[1], time: rest[2], exemplar: rest[3] }
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
}
