/** `Drops` of `/v1/drops/{id}/publish`; `Operations` of what is not below `/v1`. */
export function tagOf(path: string): string {
  const [, version, noun = ''] = path.split('/')
  return version === 'v1' ? capitalised(noun.replaceAll('_', ' ')).replace(/^Api /, 'API ') : 'Operations'
}

/**
 * `listDrops`, `getDrop`, `createDrop`, `updateDrop`, `deleteHold`, `publishDrop`, `exportOrders`: the verb of the method, or the last
 * segment of the path when that is an action, and then the noun.
 */
export function operationId(method: 'get' | 'post' | 'patch' | 'delete', path: string): string {
  const segments = path
    .replace(/^\/v1\//, '/')
    .split('/')
    .slice(1)
  const names = segments.filter((segment) => !segment.startsWith('{'))
  const last = segments.at(-1) ?? ''
  const nounOf = (words: readonly string[], isOne: boolean): string => {
    const noun = words.map(pascal).join('')
    return isOne ? noun.replace(/ies$/, 'y').replace(/s$/, '') : noun
  }
  if (names[0] === 'webhooks') return `take${names.slice(1).map(pascal).join('')}Webhook`
  if (names[0] === 'exports') return `export${nounOf(names.slice(1), false)}`
  if (!path.startsWith('/v1/')) return `get${nounOf(names, false)}`
  if (last.startsWith('{')) {
    const verb = { get: 'get', post: 'post', patch: 'update', delete: 'delete' }[method]
    return verb + nounOf(names, true)
  }
  if (segments.some((segment) => segment.startsWith('{'))) {
    const action = pascal(last)
    return (method === 'get' ? 'get' : '') + lowerFirst(action) + nounOf(names.slice(0, -1), true)
  }
  return method === 'get' ? `list${nounOf(names, false)}` : `create${nounOf(names, true)}`
}

function pascal(segment: string): string {
  return segment
    .split(/[^A-Za-z0-9]+/)
    .map(capitalised)
    .join('')
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function lowerFirst(word: string): string {
  return word.charAt(0).toLowerCase() + word.slice(1)
}
