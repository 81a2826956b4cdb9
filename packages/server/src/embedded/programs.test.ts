import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { copyPrograms, findPrograms } from './programs.ts'

test('finds the programs of this machine and their version', () => {
  const { folder, version } = findPrograms()

  expect(version).toMatch(/^\d+\.\d+$/)
  for (const program of ['initdb', 'postgres']) expect(statSync(join(folder, 'bin', program)).isFile()).toBe(true)
})

test.each([
  ['win32', 'x64'],
  ['linux', 'riscv64'],
])('says that there are none for %s on %s, and for which there are', (platform, arch) => {
  expect(() => findPrograms({ platform, arch })).toThrow(
    expect.objectContaining({
      code: 'UNSUPPORTED_PLATFORM',
      message: expect.stringContaining(`${platform} on ${arch}`),
      hint: expect.stringContaining('linux-x64'),
    }),
  )
})

test('says that the package is not installed when the installation left it out', () => {
  const platform = process.platform === 'darwin' ? 'linux' : 'darwin'

  expect(() => findPrograms({ platform, arch: 'arm64' })).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED_PLATFORM', message: expect.stringContaining('not installed') }),
  )
})

test('copies closed programs so that everybody can run them, with their links, without static libraries', async () => {
  const { from, to } = setup()

  await copyPrograms(from, to)

  expect(statSync(to).mode & 0o777).toBe(0o755)
  expect(statSync(join(to, 'bin/postgres')).mode & 0o777).toBe(0o755)
  expect(statSync(join(to, 'lib/libx.so.1')).mode & 0o777).toBe(0o644)
  expect(readFileSync(join(to, 'bin/postgres'), 'utf8')).toBe('program')
  expect(readlinkSync(join(to, 'lib/libx.so'))).toBe('libx.so.1')
  expect(lstatSync(join(to, 'lib/libx.a'), { throwIfNoEntry: false })).toBeUndefined()
})

test('makes one copy when several are asked for at once, and clears away what a killed copy left long ago', async () => {
  const { from, to, around } = setup()
  const abandoned = `${to}.new-abandoned`
  mkdirSync(abandoned, { recursive: true })
  utimesSync(abandoned, 0, 0)

  await Promise.all([copyPrograms(from, to), copyPrograms(from, to), copyPrograms(from, to)])

  expect(readdirSync(around)).toEqual(['postgresql'])
  expect(readFileSync(join(to, 'bin/postgres'), 'utf8')).toBe('program')
})

function setup(): { readonly from: string; readonly to: string; readonly around: string } {
  const folder = mkdtempSync(join(tmpdir(), 'drover-programs-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const from = join(folder, 'native')
  mkdirSync(join(from, 'bin'), { recursive: true })
  mkdirSync(join(from, 'lib'))
  writeFileSync(join(from, 'bin/postgres'), 'program', { mode: 0o700 })
  writeFileSync(join(from, 'lib/libx.so.1'), 'library', { mode: 0o600 })
  writeFileSync(join(from, 'lib/libx.a'), 'static')
  symlinkSync('libx.so.1', join(from, 'lib/libx.so'))
  chmodSync(from, 0o700)
  const around = join(folder, 'outside')
  return { from, to: join(around, 'postgresql'), around }
}
