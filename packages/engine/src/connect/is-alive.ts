/** Whether a process of this machine is there, whosever it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process is there as well.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
