/** With DROVER_TEST_SEED, everything that fast-check generates in tests is the same in each run. */
const seed = process.env['DROVER_TEST_SEED']
if (seed !== undefined) {
  const { default: fc } = await import('fast-check')
  fc.configureGlobal({ seed: Number(seed) })
}
