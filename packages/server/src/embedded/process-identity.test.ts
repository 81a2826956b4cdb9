import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { birthOf, carries, isAlive, isSameProcess, mayCarry } from './process-identity.ts'

test('knows a living process by its pid, its birth and its arguments', async () => {
  const child = spawn('sleep', ['61.25'], { stdio: 'ignore' })
  await once(child, 'spawn')
  const pid = child.pid ?? 0

  expect(isAlive(pid)).toBe(true)
  expect(isSameProcess(pid, birthOf(pid))).toBe(true)
  expect(carries(pid, '61.25')).toBe(true)
  expect(mayCarry(pid, '61.25')).toBe(true)

  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isAlive(pid)).toBe(false)
  expect(isSameProcess(pid, 'unknown')).toBe(false)
  expect(carries(pid, '61.25')).toBe(false)
})

test('takes a process for another one when its birth or its arguments differ', () => {
  expect(isSameProcess(process.pid, '1')).toBe(false)
  expect(carries(process.pid, 'cluster_name=drover-nothing-has-this')).toBe(false)
})

test('does not take a group of processes for a process', () => {
  expect(isAlive(0)).toBe(false)
  expect(isAlive(-1)).toBe(false)
  expect(isAlive(Number.NaN)).toBe(false)
})
