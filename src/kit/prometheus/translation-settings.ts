import { z } from 'zod'
import { sectionUnlessEmpty, text } from '../../config/schema.ts'
import { deltaToCumulative } from './delta-settings.ts'
import { translationStrategies } from './metric-name.ts'

const patternShape = {
  included: z
    .array(text())
    .optional()
    .describe(
      'Patterns with * and ? of the resource attributes to make labels of; all if there are but excluded ones.',
    ),
  excluded: z.array(text()).default([]).describe('Patterns of those to leave out.'),
}

/** What both Prometheus exporters are told about the translation, under the Collector's names where it has them. */
export const translationShape = {
  namespace: text().default('').describe('Put in front of every metric name.'),
  add_metric_suffixes: z
    .boolean()
    .optional()
    .describe(
      'Add unit and type to names: true unless given. `translation_strategy`, if set, decides instead.',
    ),
  translation_strategy: z
    .enum(translationStrategies)
    .optional()
    .describe('How names become Prometheus names.'),
  resource_to_telemetry_conversion: sectionUnlessEmpty({
    enabled: z.boolean().default(false).describe('true turns it on.'),
    exclude_service_attributes: z
      .boolean()
      .default(false)
      .describe('Leave out service.name, service.namespace and service.instance.id.'),
    ...patternShape,
  }).describe(
    'Make labels of all resource attributes. Its patterns mean resource_constant_labels.',
  ),
  resource_constant_labels: sectionUnlessEmpty(patternShape).describe(
    'Make labels of some resource attributes.',
  ),
  keep_identifying_resource_attributes: z
    .boolean()
    .default(false)
    .describe(
      'Keep service.name, service.namespace and service.instance.id on target_info, beside job and instance.',
    ),
  delta_to_cumulative: deltaToCumulative(),
}
