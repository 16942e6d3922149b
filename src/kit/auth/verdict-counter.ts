import { Refusal } from '../../otlp/refusal.ts'
import type { ServerAuthenticator, Verdict } from '../../pipeline/authenticator.ts'
import type { MetricDeclaration } from '../../pipeline/component.ts'
import type { Host } from '../../pipeline/host.ts'

const name = 'penstock_authentication_attempts'
const help = 'Requests that an authenticator has judged, by outcome: accepted or refused.'

export const verdictMetric: MetricDeclaration = {
  name,
  kind: 'counter',
  help,
  labels: ['extension', 'outcome'],
}

/** The same authenticator, its verdicts counted. */
export function countVerdicts(
  authenticator: ServerAuthenticator,
  host: Pick<Host, 'id' | 'meter'>,
): ServerAuthenticator {
  const counter = (outcome: string) =>
    host.meter.counter(name, help, { extension: host.id, outcome })
  const accepted = counter('accepted')
  const refused = counter('refused')
  const count = (verdict: Verdict) => {
    const counted = verdict instanceof Refusal ? refused : accepted
    counted.add(1)
    return verdict
  }
  return {
    challenge: authenticator.challenge,
    authenticate(header) {
      const verdict = authenticator.authenticate(header)
      return verdict instanceof Promise ? verdict.then(count) : count(verdict)
    },
  }
}
