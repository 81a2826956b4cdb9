import { readFileSync } from 'node:fs'

// Writes a comment on a pull request, or writes it anew: who pushes ten times has one plan to read. The action
// comment-plan runs it, and says in the environment what to write and where.

// A comment of GitHub's holds 65,536 characters. Where it is cut, the job's summary has the rest.
const longest = 60_000
const mark = '<!-- plan by drover -->'

const plan = readFileSync(read('FILE'), 'utf8')
const shown = plan.length > longest ? `${plan.slice(0, longest)}\n\n… The whole plan is in the job's summary.` : plan
const content = { body: `${mark}\n${shown}` }

const repository = `${read('GITHUB_API_URL')}/repos/${read('GITHUB_REPOSITORY')}`
const comments = `${repository}/issues/${read('PULL_REQUEST')}/comments`
const earlier = await findComment()
if (earlier === undefined) await call('POST', comments, content)
else await call('PATCH', `${repository}/issues/comments/${earlier}`, content)
console.log(earlier === undefined ? 'commented with the plan' : 'changed the comment with the plan')

/** The number of the comment that an earlier run has written. People may quote the mark; they are no bots. */
async function findComment(): Promise<number | undefined> {
  for (let page = 1; ; page += 1) {
    const found = await call('GET', `${comments}?per_page=100&page=${page}`)
    if (!Array.isArray(found)) throw new Error(`${comments}: this is no list of comments`)
    const own = found.filter(isComment).find(({ user, body }) => user.type === 'Bot' && body.startsWith(mark))
    if (own !== undefined || found.length < 100) return own?.id
  }
}

interface Comment {
  readonly id: number
  readonly body: string
  readonly user: { readonly type: string }
}

function isComment(value: unknown): value is Comment {
  return (
    has(value, 'id', 'number') && has(value, 'body', 'string') && 'user' in value && has(value.user, 'type', 'string')
  )
}

function has<Name extends string>(value: unknown, name: Name, type: string): value is Record<Name, unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === type
}

async function call(method: string, url: string, document?: object): Promise<unknown> {
  const response = await fetch(url, {
    method,
    ...(document && { body: JSON.stringify(document) }),
    headers: { accept: 'application/vnd.github+json', authorization: `Bearer ${read('TOKEN')}` },
  })
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`)
  return response.json()
}

function read(variable: string): string {
  const value = process.env[variable]
  if (value === undefined || value === '') throw new Error(`${variable} is not set`)
  return value
}
