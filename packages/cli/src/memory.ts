/** How large both halves of the room for young objects may be before they grow no more, in bytes. */
const enough = 16 * 1024 * 1024

/**
 * Bounds Node's room for young objects. V8 doubles it again and again while a run goes on, whatever that keeps in memory: over ten
 * thousand tenants by 100 MiB, which is as much as all else together, and gains nothing by it. V8 reads this flag whenever it might make
 * the room larger, and `--max-semi-space-size` only when it starts; `--min-semi-space-size` in `NODE_OPTIONS` still makes it larger.
 */
export function boundYoungSpace(): void {
  const { getHeapSpaceStatistics, setFlagsFromString } = process.getBuiltinModule('node:v8')
  const watching = setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
    if (young === undefined || young.space_size < enough) return
    setFlagsFromString('--semi-space-growth-factor=1')
    clearInterval(watching)
  }, 50)
  // A run that is short ends before.
  watching.unref()
}
