import * as v from 'valibot'

/** What is wrong with a declaration, as one line. @param define the function that it is declared with */
export function describeIssue(issue: v.BaseIssue<unknown>, define: string): string {
  const field = v.getDotPath(issue)
  if (field === null) return `the default export must be ${define}({ … }), and is ${describeReceived(issue)}`
  if (issue.expected === 'never') return `"${field}" is not an option`
  if (issue.received === 'undefined') return `"${field}" is missing`
  // What is empty, or too long, has its length for its received value, which says nothing.
  if (issue.type === 'non_empty' || issue.type === 'max_length') return `"${field}" ${issue.message}`
  return `"${field}" ${issue.message}, and is ${describeReceived(issue)}`
}

/** The value that was found, unless it may hold a password: a URL in the wrong place must not end up in a log. */
function describeReceived(issue: v.BaseIssue<unknown>): string {
  return /:\/\/|@|=/.test(issue.received) ? 'a connection string, which belongs in the environment' : issue.received
}
