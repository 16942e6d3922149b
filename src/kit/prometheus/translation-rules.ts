/** From the settings that both Prometheus exporters have to the rules of translation. */
import type { ConfigProblem } from '../../pipeline/component.ts'
import { collectorLabelNaming } from './label-name.ts'
import { joinLabels, type LabelRules } from './labels.ts'
import { escapesNames, type TranslationStrategy } from './metric-name.ts'
import { matchesPatterns } from './promoted-attributes.ts'

export interface TranslationSettings {
  readonly translation_strategy?: TranslationStrategy | undefined
  readonly add_metric_suffixes?: boolean | undefined
  readonly resource_to_telemetry_conversion?: unknown
  readonly keep_identifying_resource_attributes: boolean
}

interface LabelChoices {
  /** Labels of every series, where nothing else brings them. */
  readonly constLabels: Readonly<Record<string, string>>
  readonly scopeInfo: boolean
  /** Which resource attributes become labels; in place of resource_to_telemetry_conversion. */
  readonly promoted?: Parameters<typeof matchesPatterns>[0] | undefined
}

/** `translation_strategy`, or what the deprecated `add_metric_suffixes` means. */
export function strategyOf(settings: TranslationSettings): TranslationStrategy {
  if (settings.translation_strategy !== undefined) return settings.translation_strategy
  return settings.add_metric_suffixes !== false
    ? 'UnderscoreEscapingWithSuffixes'
    : 'UnderscoreEscapingWithoutSuffixes'
}

export function translationProblems(settings: TranslationSettings): ConfigProblem[] {
  if (settings.translation_strategy === undefined || settings.add_metric_suffixes === undefined) {
    return []
  }
  const message = `has no effect beside translation_strategy: ${settings.translation_strategy}; remove it`
  return [{ path: ['add_metric_suffixes'], message, severity: 'warning' }]
}

export function labelRules(settings: TranslationSettings, choices: LabelChoices): LabelRules {
  const naming = { ...collectorLabelNaming, escape: escapesNames(strategyOf(settings)) }
  const labels = Object.entries(choices.constLabels).map(([key, value]) => ({
    key,
    text: value,
    identity: value,
  }))
  return {
    naming,
    constLabels: joinLabels(naming, labels),
    scopeInfo: choices.scopeInfo,
    promotes:
      choices.promoted === undefined ? converts(settings) : matchesPatterns(choices.promoted),
    keepIdentifying: settings.keep_identifying_resource_attributes,
  }
}

function converts(settings: TranslationSettings): (key: string) => boolean {
  const conversion = settings.resource_to_telemetry_conversion as
    | { exclude_service_attributes: boolean }
    | undefined
  if (conversion === undefined) return () => false
  if (!conversion.exclude_service_attributes) return () => true
  const excluded = ['service.name', 'service.namespace', 'service.instance.id']
  return matchesPatterns({ excluded })
}
