import fc from 'fast-check'
import { onTestFailed } from 'vitest'

/** What people and other programs may call things: characters that mean something somewhere, words, ends of statements. */
const hostile = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 80 }) },
  {
    weight: 4,
    arbitrary: fc
      .array(
        fc.constantFrom(
          ...`' '' " "" \\ \\' \\" $$ $a$ ; -- /* */ : :: % %s %I %00 @ / ? # & = + \n \r \t \0 , . ( ) [ ] { } ü 数 😀 \u202e \u2028 \u00a0`.split(
            ' ',
          ),
          ' ',
          `'; drop table canary; --`,
          `"; drop table canary; --`,
          '*/ drop table canary; /*',
          '$drover$; drop table canary; --',
          '\n; drop table canary;\n',
          '\n\\! exit 1\n',
          'select',
          'user',
          'public',
          'pg_catalog',
          'tenant_',
          'x'.repeat(30),
          'ö'.repeat(16),
        ),
        { minLength: 1, maxLength: 6 },
      )
      .map((parts) => parts.join('')),
  },
)

/** How many texts a test tries. */
export const count = 10_000

const ownSeed = Number(process.env['DROVER_TEST_SEED'] ?? Date.now())

/**
 * Hostile texts. A test that fails prints the seed of its texts, which DROVER_TEST_SEED makes it take again.
 * @param seed the same one gives the same texts. Default: another one for each run
 */
export function sampleTexts(seed: number = ownSeed, howMany: number = count): readonly string[] {
  onTestFailed(() => void process.stderr.write(`the same texts again: DROVER_TEST_SEED=${ownSeed}\n`))
  return fc.sample(hostile, { numRuns: howMany, seed })
}

/** Parts of a list, in order. What is done for a part fits into one message and one transaction. */
export function inBatches<T>(all: readonly T[], size = 1_000): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}
