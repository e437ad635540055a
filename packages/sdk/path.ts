/**
 * A path below `/v1`, its parameters encoded: path`drops/${id}/publish`. Throws TypeError for a parameter that is empty,
 * `.` or `..`, which would name another route.
 */
export function path(parts: TemplateStringsArray, ...params: readonly string[]): string {
  return `/v1/${String.raw({ raw: parts }, ...params.map(encode))}`
}

function encode(param: string): string {
  if (typeof param !== 'string' || /^\.{0,2}$/.test(param)) throw new TypeError(`"${param}" is not an id`)
  return encodeURIComponent(param)
}
