/** What may be shown of a URL: its name, password and query may be secrets. */
export function shownUrl(url: URL | string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
