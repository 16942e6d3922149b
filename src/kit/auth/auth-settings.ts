/** The `auth` block of servers and clients: the Collector's configauth. */
import { componentId, sectionUnlessEmpty, text } from '../../config/schema.ts'
import { z } from 'zod'
import { authForms } from '../../pipeline/authenticator.ts'

/** `auth` of a server. */
export function serverAuthSettings() {
  return sectionUnlessEmpty(serverShape).describe(
    'Which extension judges requests; everybody may send when absent.',
  )
}

/** `auth` of an HTTP server, whose clients may put credentials into the query. */
export function httpServerAuthSettings() {
  return sectionUnlessEmpty({
    ...serverShape,
    request_params: z
      .array(text())
      .default([])
      .describe('Query parameters to take for headers of the same name.'),
  }).describe('Which extension judges requests; everybody may send when absent.')
}

/** `auth` of a client. `form` is the other one for a client whose requests hold the data of several senders. */
export function clientAuthSettings(form: string = authForms.client) {
  return sectionUnlessEmpty({
    authenticator: componentId()
      .meta({ form })
      .describe('Id of the extension, which service.extensions must list too.'),
  }).describe('Which extension adds credentials to requests.')
}

const serverShape = {
  authenticator: componentId()
    .meta({ form: authForms.server })
    .describe('Id of the extension, which service.extensions must list too.'),
}
