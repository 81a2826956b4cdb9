import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { canEnter, canRun, chooseUnprivilegedUser } from './unprivileged-user.ts'

const nobody = 'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin'
const postgres = 'postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash'

test('prefers postgres to nobody', () => {
  const { passwd } = setup([nobody, postgres])

  expect(chooseUnprivilegedUser(passwd)).toEqual({ name: 'postgres', uid: 101, gid: 104 })
})

test('takes nobody where there is no postgres, or postgres is another name of root', () => {
  const { passwd } = setup(['# nobody:x:1:1', nobody, 'postgres:x:0:0::/root:/bin/sh'])

  expect(chooseUnprivilegedUser(passwd)).toEqual({ name: 'nobody', uid: 65_534, gid: 65_533 })
})

test('says so when there is neither', () => {
  const { passwd } = setup(['root:x:0:0::/root:/bin/sh'])

  expect(() => chooseUnprivilegedUser(passwd)).toThrow(expect.objectContaining({ code: 'NO_UNPRIVILEGED_USER' }))
})

test.each([
  ['a stranger', 0o755, 0o711, true],
  ['a stranger', 0o755, 0o700, false],
  ['a stranger', 0o750, 0o755, false],
  ['the group', 0o755, 0o750, true],
  ['the group', 0o705, 0o755, false],
  ['the owner', 0o700, 0o700, true],
  ['the owner', 0o755, 0o677, false],
])('lets %s through folders of the modes %o and %o: %s', (who, outer, inner, expected) => {
  const { folder } = setup([])
  mkdirSync(join(folder, 'outer/inner'), { recursive: true })
  chmodSync(join(folder, 'outer/inner'), inner)
  chmodSync(join(folder, 'outer'), outer)
  const { uid, gid } = statSync(folder)
  const user = {
    name: who,
    uid: who === 'the owner' ? uid : uid + 1,
    gid: who === 'a stranger' ? gid + 1 : gid,
  }

  expect(canEnter(user, join(folder, 'outer/inner'))).toBe(expected)
})

test('wants a program to be readable and executable', () => {
  const { folder } = setup([])
  const file = join(folder, 'program')
  writeFileSync(file, '')
  const { uid, gid } = statSync(folder)
  const stranger = { name: 'stranger', uid: uid + 1, gid: gid + 1 }

  chmodSync(file, 0o755)
  expect(canRun(stranger, file)).toBe(true)
  chmodSync(file, 0o744)
  expect(canRun(stranger, file)).toBe(false)
})

function setup(passwd: readonly string[]): { readonly folder: string; readonly passwd: string } {
  const folder = mkdtempSync(join(tmpdir(), 'drover-user-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  const file = join(folder, 'passwd')
  writeFileSync(file, `${passwd.join('\n')}\n`)
  return { folder, passwd: file }
}
