import { hash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

import { birthOf, isAlive } from '@drover/server'

import type { Maker } from './database-name.ts'

/** How this process signs the databases that it makes. */
export function thisProcess(): Maker {
  known ??= { place: readPlace(), pid: process.pid, birth: short(birthOf(process.pid)) }
  return known
}

/** It does not change, and to find it out takes running a program on some systems. */
let known: Maker | undefined

/** Whether a process of this place is still at work. In doubt it is. */
export function livesHere({ pid, birth }: Maker): boolean {
  if (!isAlive(pid)) return false
  const now = birthOf(pid)
  return now === unknown || birth === short(unknown) || birth === short(now)
}

/** What there is to be read of a process that may not be looked at. */
const unknown = 'unknown'

/** Two containers can have one host name, and two starts of a machine the same ids of processes. */
function readPlace(): string {
  const boot = tryTo(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
  const namespace = tryTo(() => readlinkSync('/proc/self/ns/pid'))
  return short([hostname(), boot, namespace].join('\n'))
}

function tryTo(read: () => string): string {
  try {
    return read()
  } catch {
    // Only Linux has them.
    return ''
  }
}

function short(text: string): string {
  return hash('sha256', text).slice(0, 6)
}
