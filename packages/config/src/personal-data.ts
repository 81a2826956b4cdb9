import * as v from 'valibot'

/** The grounds of GDPR Article 6(1), in the order of its letters. */
const legalBases = [
  'consent',
  'contract',
  'legal_obligation',
  'vital_interests',
  'public_task',
  'legitimate_interests',
] as const

export type LegalBasis = (typeof legalBases)[number]

/** What a column is for. All texts are half sentences: they end up in comments, which add the full stop. */
export type ColumnClassification =
  | {
      readonly personal: true
      /** What kind of personal data it is, in words of your own: `identity`, `contact`. */
      readonly category: string
      readonly purpose: string
      readonly legalBasis: LegalBasis
      /** How long it is kept. Default: as its table. */
      readonly retention?: string
    }
  | {
      readonly personal: false
      readonly purpose: string
      /** How long it is kept. Default: as its table. */
      readonly retention?: string
    }

/** What a file that `personalData` names declares: every column of every table, by their names in the database. */
export type PersonalDataDeclaration = Readonly<
  Record<
    string,
    {
      /** How long its rows are kept. */
      readonly retention: string
      readonly columns: Readonly<Record<string, ColumnClassification>>
    }
  >
>

/** A declaration for Drizzle tables: every column has to be named, and nothing else may be. */
export type Classified<Tables extends Readonly<Record<string, { readonly $inferSelect: object }>>> = {
  readonly [Table in keyof Tables]: {
    readonly retention: string
    readonly columns: {
      readonly [Column in keyof Tables[Table]['$inferSelect'] & string as SnakeCase<Column>]: ColumnClassification
    }
  }
}

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : ''

/** One column of a data map. */
export interface ClassifiedColumn {
  /** With its schema where that is not `public`. */
  readonly table: string
  readonly column: string
  readonly personal: boolean
  /** Missing, like `legalBasis`, where it holds no personal data. */
  readonly category?: string
  readonly purpose: string
  readonly legalBasis?: LegalBasis
  readonly retention: string
}

/** The columns in the order in which they were declared, or one line for each fault. */
export type PersonalDataResult =
  | { readonly ok: true; readonly columns: readonly ClassifiedColumn[] }
  | { readonly ok: false; readonly faults: readonly string[] }

/** Validates what a file with classifications exported. */
export function parsePersonalData(exported: unknown): PersonalDataResult {
  const result = v.safeParse(declarationSchema, exported)
  if (!result.success) return { ok: false, faults: result.issues.map(describeIssue) }
  const columns = Object.entries(result.output).flatMap(([table, { retention, columns: own }]) =>
    Object.entries(own).map(([column, classification]) => ({ table, column, retention, ...classification })),
  )
  return { ok: true, columns }
}

const text = v.pipe(
  v.string('must be a text'),
  v.regex(/^[^\s.](?:[^\n]*[^\s.])?$/, 'must be one line without a full stop at its end'),
)
const common = { purpose: text, retention: v.exactOptional(text) }
const columnSchema = v.variant(
  'personal',
  [
    v.strictObject({
      personal: v.literal(true),
      category: text,
      ...common,
      legalBasis: v.picklist(legalBases, `must be one of ${legalBases.join(', ')}`),
    }),
    v.strictObject({ personal: v.literal(false), ...common }),
  ],
  'must say whether it is "personal", true or false',
)
const declarationSchema = v.record(
  v.string(),
  v.strictObject(
    { retention: text, columns: v.record(v.string(), columnSchema) },
    'must have "retention" and "columns"',
  ),
  '"personalData" must be exported: export const personalData = classify({ … })',
)

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue)
  if (field === null) return issue.message
  if (issue.expected === 'never') return `"${field}" is not known here`
  if (issue.received === 'undefined' && issue.type !== 'variant') return `"${field}" is missing`
  return `"${field}" ${issue.message}`
}
