import { expect } from 'vitest'

import type { Ended } from './workspace.ts'

/** What `--log json` writes: every line of stderr is one document that says when, how bad and what; the last says how it ended. */
export function readEntries({ stderr, exitCode }: Ended): readonly Record<string, any>[] {
  expect(stderr.endsWith('\n')).toBe(true)
  const entries = stderr
    .slice(0, -1)
    .split('\n')
    .map((line): Record<string, any> => JSON.parse(line))
  for (const entry of entries) {
    expect(entry).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: expect.stringMatching(/^(?:info|warn|error)$/),
      event: expect.stringMatching(/^[a-z]+(?:-[a-z]+)*$/),
      command: expect.any(String),
    })
    expect('database' in entry).toBe('target' in entry)
  }
  expect(entries.at(-1)).toMatchObject({ event: 'ended', exitCode, durationMs: expect.any(Number) })
  return entries
}
