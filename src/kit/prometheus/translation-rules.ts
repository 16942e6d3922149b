/** From the settings that both Prometheus exporters have to the rules of translation. */
import type { ConfigProblem } from '../../pipeline/component.ts'
import { joinLabels, type LabelRules } from './labels.ts'
import { escapesNames, type TranslationStrategy } from './metric-name.ts'
import { type AttributePatterns, matchesPatterns } from './promoted-attributes.ts'

/** What is undefined in `included` or empty takes all, but if `excluded` is empty too, no patterns are given. */
interface ResourceConversion extends Partial<AttributePatterns> {
  readonly enabled: boolean
  readonly exclude_service_attributes: boolean
}

export interface TranslationSettings {
  readonly translation_strategy?: TranslationStrategy | undefined
  readonly add_metric_suffixes?: boolean | undefined
  readonly resource_to_telemetry_conversion?: ResourceConversion | undefined
  /** Decides in place of resource_to_telemetry_conversion. */
  readonly resource_constant_labels?: AttributePatterns | undefined
  readonly keep_identifying_resource_attributes: boolean
}

interface LabelChoices {
  /** Labels of every series, where nothing else brings them. */
  readonly constLabels: Readonly<Record<string, string>>
  readonly scopeInfo: boolean
}

/** `translation_strategy`, or what the deprecated `add_metric_suffixes` means. */
export function strategyOf(settings: TranslationSettings): TranslationStrategy {
  if (settings.translation_strategy !== undefined) return settings.translation_strategy
  return settings.add_metric_suffixes !== false
    ? 'UnderscoreEscapingWithSuffixes'
    : 'UnderscoreEscapingWithoutSuffixes'
}

export function translationProblems(settings: TranslationSettings): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const warn = (path: string, message: string) =>
    problems.push({ path: [path], message, severity: 'warning' })
  const { translation_strategy, add_metric_suffixes } = settings
  if (translation_strategy !== undefined && add_metric_suffixes !== undefined) {
    const strategy = `translation_strategy: ${translation_strategy}`
    warn('add_metric_suffixes', `has no effect beside ${strategy}; remove it`)
  }
  const { resource_constant_labels, resource_to_telemetry_conversion } = settings
  const isConverting =
    resource_to_telemetry_conversion?.enabled === true ||
    givenPatterns(resource_to_telemetry_conversion) !== undefined
  if (givenPatterns(resource_constant_labels) !== undefined && isConverting) {
    const message = 'has no effect beside resource_constant_labels; remove it'
    warn('resource_to_telemetry_conversion', message)
  }
  return problems
}

export function labelRules(settings: TranslationSettings, choices: LabelChoices): LabelRules {
  const naming = { escape: escapesNames(strategyOf(settings)) }
  const labels = Object.entries(choices.constLabels).map(([key, value]) => ({
    key,
    text: value,
    type: 'string',
  }))
  return {
    naming,
    constLabels: joinLabels(naming, labels),
    scopeInfo: choices.scopeInfo,
    promotes: promotes(settings),
    keepIdentifying: settings.keep_identifying_resource_attributes,
  }
}

function promotes(settings: TranslationSettings): (key: string) => boolean {
  const { resource_constant_labels, resource_to_telemetry_conversion: conversion } = settings
  const patterns = givenPatterns(resource_constant_labels) ?? givenPatterns(conversion)
  if (patterns !== undefined) return matchesPatterns(patterns)
  if (conversion?.enabled !== true) return () => false
  if (!conversion.exclude_service_attributes) return () => true
  const excluded = ['service.name', 'service.namespace', 'service.instance.id']
  return matchesPatterns({ excluded })
}

/** The Collector's reading: an empty list is none, and without any there are no patterns. */
function givenPatterns(
  patterns: Partial<AttributePatterns> | undefined,
): AttributePatterns | undefined {
  const included = patterns?.included?.length === 0 ? undefined : patterns?.included
  const excluded = patterns?.excluded ?? []
  return included === undefined && excluded.length === 0 ? undefined : { included, excluded }
}
