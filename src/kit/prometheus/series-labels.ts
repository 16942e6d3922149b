import type { TextAttribute } from './attribute-text.ts'
import {
  type FixedLabel,
  fixedLabels,
  type Label,
  type LabelRules,
  reservedLabel,
  seriesLabels,
} from './labels.ts'
import type { MetricSource, ScopeSource } from './metric-source.ts'

/** Makes the labels of new series, which mostly come scope by scope. */
export class SeriesLabels {
  readonly #rules: LabelRules
  /** Of the scope at hand: kept of all scopes, they would take many times what came. */
  #fixed: readonly FixedLabel[] = []
  #scope: ScopeSource | undefined

  constructor(rules: LabelRules) {
    this.#rules = rules
  }

  /** All labels of a series with these attributes but its name and the type's own, sorted by name. */
  make({ scope, dataField }: MetricSource<unknown>, point: readonly TextAttribute[]): Label[] {
    const rules = this.#rules
    if (this.#scope !== scope) {
      this.#fixed = fixedLabels(rules, scope.resource.labels, scope.labels)
      this.#scope = scope
    }
    const parts = { point, fixed: this.#fixed, reserved: reservedLabel(dataField) }
    return seriesLabels(rules.naming, parts)
  }
}
