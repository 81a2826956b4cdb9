/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** At least 0, less than 1. */
  next(): number
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number
  pick<T>(from: readonly T[]): T
  chance(probability: number): boolean
}

/** How often a fault is caused. */
export interface RoundOptions {
  /** In a normal run of the tests. `DROVER_FAULT_ROUNDS` asks for another number. */
  readonly usually: number
  /** The most that make sense, whatever was asked for. Default: no limit. */
  readonly most?: number
  /** How many rounds are played at the same time. Default 2. */
  readonly atATime?: number
}

/** A seed that plays one round again, as a failed one has printed it. */
const wantedSeed = process.env['DROVER_FAULT_SEED']
const wantedRounds = process.env['DROVER_FAULT_ROUNDS']

/** How many rounds there will be. */
function countRounds({ usually, most = Infinity }: RoundOptions): number {
  return wantedSeed === undefined ? Math.min(most, Number(wantedRounds ?? usually)) : 1
}

/** How long a test with so many rounds may take, in milliseconds. */
export function timeForRounds(options: RoundOptions): number {
  return Math.max(120_000, countRounds(options) * 30_000)
}

/**
 * Plays rounds, each with random numbers of its own. The seed of one that fails stands in the error.
 * @throws {Error} of the first round that failed, when those that were under way have ended
 */
export async function playRounds(
  options: RoundOptions,
  play: (random: Random, round: number) => Promise<void>,
): Promise<void> {
  const rounds = countRounds(options)
  let next = 0
  let failure: Error | undefined
  const playOn = async () => {
    while (next < rounds && failure === undefined) {
      const round = (next += 1)
      const seed = wantedSeed === undefined ? Math.trunc(Math.random() * 2 ** 32) : Number(wantedSeed)
      try {
        await play(seededRandom(seed), round)
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        failure ??= new Error(`round ${round} of ${rounds} (again with DROVER_FAULT_SEED=${seed}): ${reason}`, {
          cause,
        })
      }
    }
  }
  await Promise.all(Array.from({ length: options.atATime ?? 2 }, playOn))
  if (failure) throw failure
}

/** The generator "mulberry32". */
function seededRandom(seed: number): Random {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    between,
    pick: (from) => from[between(0, from.length - 1)]!,
    chance: (probability) => next() < probability,
  }
}
