/** The path of a request's target, without its query. RFC 9112, 3.2.2: a server takes `http://host/path` too. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  const path = query < 0 ? target : target.slice(0, query)
  if (path.startsWith('/')) return path
  const origin = /^https?:\/\/[^/]*/i.exec(path)
  return origin === null ? path : path.slice(origin[0].length) || '/'
}

/** The parameters of a request's query; those that come several times have their first value. */
export function queryOf(target: string): URLSearchParams {
  const query = target.indexOf('?')
  return new URLSearchParams(query < 0 ? '' : target.slice(query + 1))
}
