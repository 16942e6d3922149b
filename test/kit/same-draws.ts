/** Preloaded by `npm run test:fast`: property tests draw the same values each time, so a commit that passed passes again. */
import fc from 'fast-check'

const seed = 20_261_121

// Left to itself fast-check makes arrays and texts of ten elements at most, whatever their `maxLength`.
fc.configureGlobal({ seed, defaultSizeToMaxWhenMaxSpecified: true })
