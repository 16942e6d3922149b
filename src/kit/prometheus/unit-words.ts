/** UCUM units as the words that Prometheus names end in. The table is otlptranslator's, quirks included. */

/** Main and per part as words, both raw: cleaning them is the name's affair. The per part begins with `per_`. */
export interface UnitWords {
  readonly main: string
  readonly per: string
}

/** Only the first slash splits; a part with an annotation such as `{requests}` counts for nothing as a whole. */
export function unitWords(unit: string): UnitWords {
  const slash = unit.indexOf('/')
  const main = part(slash === -1 ? unit : unit.slice(0, slash), mainWords)
  const per = slash === -1 ? '' : part(unit.slice(slash + 1), perWords)
  return { main, per: per === '' ? '' : `per_${per}` }
}

/** The unit as OpenMetrics UNIT and remote-write metadata carry it: `By/s` is bytes_per_second. */
export function unitText(unit: string): string {
  const { main, per } = unitWords(unit)
  return [cleanUnit(main), cleanUnit(per).replace(/_$/, '')]
    .filter((word) => word !== '' && word !== 'per')
    .join('_')
}

/** Only what a metric name may hold, single underscores, none in front. */
export function cleanUnit(words: string): string {
  return words
    .replace(/[^A-Za-z0-9:]/gu, '_')
    .replace(/_+/g, '_')
    .replace(/^_/, '')
}

function part(text: string, words: ReadonlyMap<string, string>): string {
  const unit = text.trim()
  return /[{}]/.test(unit) ? '' : (words.get(unit) ?? unit)
}

const mainWords: ReadonlyMap<string, string> = new Map([
  ['', ''],
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  // The specification's table says tebibytes; every implementation writes this.
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['1', ''],
  ['%', 'percent'],
])

const perWords: ReadonlyMap<string, string> = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
])
