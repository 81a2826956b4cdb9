import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { findProgram } from './find-program.ts'

let folder: string
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'drover-program-')))
  for (const name of ['first', 'second']) await mkdir(join(folder, name, 'folder'), { recursive: true })
  const write = async (path: string, text: string | Buffer, mode: number) => {
    await writeFile(join(folder, path), text)
    await chmod(join(folder, path), mode)
  }
  await write('first/app', '#!/bin/sh\n', 0o755)
  await write('second/app', '#!/bin/sh\n', 0o755)
  await write('first/later', 'text', 0o644)
  await write('second/later', '#!/bin/sh\n', 0o755)
  await write('first/data', 'text', 0o644)
  await write('first/bare', 'echo hello\n', 0o755)
  await write('first/binary', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), 0o755)
  await write('first/orphan', '#!/nowhere/python -u\n', 0o755)
  await write('first/windows', '#!/bin/sh\r\necho hello\r\n', 0o755)
})
afterAll(() => rm(folder, { recursive: true }))

const find = (...words: [string, ...string[]]) =>
  findProgram(words, { env: { PATH: `${folder}/first:${folder}/second` }, cwd: folder })

describe('findProgram', () => {
  it('takes the first of its name in PATH, and leaves all words as they are', () => {
    expect(find('app', '-d', '--json', '', 'a b')).toEqual({
      file: join(folder, 'first/app'),
      words: ['app', '-d', '--json', '', 'a b'],
    })
  })

  it('goes past what may not be executed', () => {
    expect(find('later').file).toBe(join(folder, 'second/later'))
  })

  it('takes a name with a slash for a path from the current folder', () => {
    expect(find('./second/app')).toEqual({ file: join(folder, 'second/app'), words: ['./second/app'] })
    expect(find(join(folder, 'second/app')).file).toBe(join(folder, 'second/app'))
    expect(() => find('./app')).toThrow('there is no program "./app"')
  })

  it('takes an empty part of PATH for the current folder, and has a PATH where there is none', () => {
    expect(findProgram(['app'], { env: { PATH: '' }, cwd: join(folder, 'second') }).file).toBe(
      join(folder, 'second/app'),
    )
    expect(findProgram(['sh'], { env: {}, cwd: folder }).file).toMatch(/\/bin\/sh$/)
  })

  it('has the shell read a script that does not say who reads it, as shells do', () => {
    expect(find('bare', 'x')).toEqual({ file: '/bin/sh', words: ['/bin/sh', join(folder, 'first/bare'), 'x'] })
    expect(find('binary')).toEqual({ file: join(folder, 'first/binary'), words: ['binary'] })
  })

  it.each([
    ['nowhere', 'PROGRAM_MISSING', 'there is no program "nowhere"'],
    ['', 'PROGRAM_MISSING', 'there is no program ""'],
    ['data', 'PROGRAM_UNUSABLE', 'first/data may not be executed'],
    ['folder', 'PROGRAM_UNUSABLE', 'first/folder is a folder'],
    ['orphan', 'PROGRAM_UNUSABLE', 'first/orphan is read by /nowhere/python, which is not there'],
    ['windows', 'PROGRAM_UNUSABLE', 'first/windows is read by /bin/sh, which is not there'],
  ])('refuses %j with %s', (name, code, message) => {
    expect(() => find(name)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }))
  })

  it('says what is wrong with a script that was saved on Windows', () => {
    expect(() => find('windows')).toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ hint: expect.stringContaining('CRLF') })] }),
    )
  })
})
