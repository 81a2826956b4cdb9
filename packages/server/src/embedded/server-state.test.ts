import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readState, writeState } from './server-state.ts'
import type { ServerState } from './server-state.ts'

test('reads back what was written, and leaves no other file', () => {
  const folder = setup()
  const state: ServerState = {
    cluster: 'cluster',
    port: 20_000,
    version: '18.4',
    running: { pid: 42, data: '/x/data', marker: 'm' },
  }

  writeState(folder, { cluster: 'elsewhere' })
  writeState(folder, state)

  expect(readState(folder)).toEqual(state)
  expect(readdirSync(folder)).toEqual(['server.json'])
})

test('has nothing to say about a folder that is not there', () => {
  expect(readState(join(setup(), 'none'))).toBeUndefined()
})

test.each(['', '{', '[]', '{"cluster":1}', '{"cluster":"c","running":{"pid":0,"data":"","marker":""}}'])(
  'refuses %j instead of taking it for no state',
  (text) => {
    const folder = setup()
    writeFileSync(join(folder, 'server.json'), text)

    expect(() => readState(folder)).toThrow(expect.objectContaining({ code: 'DAMAGED' }))
  },
)

function setup(): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-state-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
