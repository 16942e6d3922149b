import { section } from '../../../config/schema.ts'
import { deltaShape } from '../../../kit/prometheus/delta-settings.ts'
import { defineProcessor } from '../../../pipeline/component.ts'
import { conversionDeclarations } from './conversion-metrics.ts'
import { DeltaToCumulativeProcessor } from './delta-to-cumulative-processor.ts'

export const deltaToCumulative = defineProcessor({
  type: 'deltatocumulative',
  summary: 'Adds up sums and histograms of delta temporality to cumulative ones.',
  stability: 'beta',
  signals: ['metrics'],
  config: section(deltaShape),
  metrics: conversionDeclarations,
  examples: [
    { title: 'As the Collector has it', yaml: 'max_stale: 5m' },
    {
      title: 'For clients that report once an hour',
      yaml: ['max_stale: 3h', 'max_streams: 100000'].join('\n'),
    },
  ],
  create: (settings, host) => new DeltaToCumulativeProcessor(settings, host),
})
