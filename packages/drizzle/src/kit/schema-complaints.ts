import { stripVTControlCharacters } from 'node:util'

/** What drizzle-kit does not like about a schema, in our words. */
export interface Complaint {
  /** What is wrong, naming the object: to be read after the schema's file. */
  readonly what: string
  readonly hint: string
}

/** Finds in what drizzle-kit printed why it refuses a schema, in its order and each only once. */
export function readComplaints(printed: string): readonly Complaint[] {
  const text = stripVTControlCharacters(printed)
  const found = patterns.flatMap(({ pattern, describe }) =>
    Array.from(text.matchAll(pattern), (match) => ({ at: match.index, ...describe(match.slice(1)) })),
  )
  const twins = new Set(found.map(({ twin }) => twin))
  const complaints = found
    .toSorted((a, b) => a.at - b.at)
    // Of a table that is declared twice, everything else is there twice as well.
    .filter(({ table, twin }) => twin !== undefined || table === undefined || !twins.has(table))
    .map(({ what, hint }) => ({ what, hint }))
  return [...new Map(complaints.map((complaint) => [complaint.what, complaint])).values()]
}

interface Pattern {
  readonly pattern: RegExp
  /** `table` is the one that it is about, `twin` a table that is declared twice. */
  readonly describe: (groups: readonly string[]) => Complaint & { readonly table?: string; readonly twin?: string }
}

const twice = 'rename one of the two; what is exported under two names counts once for each'

/** As drizzle-kit 1.0.0-rc.5 words them. */
const patterns: readonly Pattern[] = [
  {
    pattern: /There's a duplicate schema name '(.+?)'$/gm,
    describe: ([name]) => ({ what: `declares the schema ${name} twice`, hint: twice }),
  },
  {
    pattern: /There's a duplicate table name "(.+?)" in "(.+?)" schema$/gm,
    describe: ([name, schema]) => ({
      twin: `${schema}.${name}`,
      what: `declares the table ${schema}.${name} twice`,
      hint: twice,
    }),
  },
  {
    pattern: /There's a duplicate column name '(.+?)' in "(.+?)"\."(.+?)" table$/gm,
    describe: ([name, schema, table]) => ({
      table: `${schema}.${table}`,
      what: `gives the table ${schema}.${table} two columns called ${name}`,
      hint: 'give each column of a table a name of its own',
    }),
  },
  {
    pattern: /There's a duplicate constraint name '(.+?)' in "(.+?)"\."(.+?)" table$/gm,
    describe: ([name, schema, table]) => ({
      table: `${schema}.${table}`,
      what: `gives the table ${schema}.${table} two constraints called ${name}`,
      hint: 'give each constraint of a table a name of its own',
    }),
  },
  {
    pattern: /There's a duplicate index name '(.+?)' in "(.+?)" schema in "(.+?)"\."(.+?)"$/gm,
    describe: ([name, schema, , table]) => ({
      table: `${schema}.${table}`,
      what: `declares two indexes called ${name} in the schema ${schema}, one of them on the table ${table}`,
      hint: 'rename one of the two: the indexes of all tables of a schema share their names',
    }),
  },
  {
    pattern: /Please specify an index name in "(.+?)"\."(.+?)" table that has "([\s\S]+?)" expression\.$/gm,
    describe: ([schema, table, expression]) => ({
      what: `has an index without a name on the table ${schema}.${table}, on the expression ${expression}`,
      hint: `name it, because only an index on columns gets a name by itself: index('${table}_…_index').on(…)`,
    }),
  },
  {
    pattern: /on the (.+?) column inside the (.+?) table with the vector type [\s\S]+?syntax: index\("(.+?)"\)/g,
    describe: ([column, table, index]) => ({
      what: `has an index ${index} on the vector column ${table}.${column} without an operator class`,
      hint: `name one, because vectors have no default: table.${column}.op('vector_l2_ops'), or another of pgvector's`,
    }),
  },
  {
    pattern: /duplicated policy name across "(.+?)"\."(.+?)" table\. .*? with (.+) name$/gm,
    describe: ([schema, table, name]) => ({
      table: `${schema}.${table}`,
      what: `gives the table ${schema}.${table} two policies called ${name}`,
      hint: 'give each policy of a table a name of its own',
    }),
  },
  {
    pattern: /Policy (.+?) was skipped because it was not linked to any table/g,
    describe: ([name]) => ({
      what: `declares the policy ${name} for no table, so that it would be left out`,
      hint: 'put it into the table that it protects, or link it with .link(table)',
    }),
  },
  {
    pattern: /There's a view duplicate name (.+?) in (.+?) schema$/gm,
    describe: ([name, schema]) => ({ what: `declares the view ${schema}.${name} twice`, hint: twice }),
  },
  {
    pattern: /There's a sequence name duplicate '(.+?)' in '(.+?)' schema$/gm,
    describe: ([name, schema]) => ({ what: `declares the sequence ${schema}.${name} twice`, hint: twice }),
  },
  {
    pattern: /There's a duplicate enum name '(.+?)' in "(.+?)" schema$/gm,
    describe: ([name, schema]) => ({ what: `declares the enum ${schema}.${name} twice`, hint: twice }),
  },
  {
    pattern: /There are duplicate values in enum '(.+?)' in "(.+?)" schema$/gm,
    describe: ([name, schema]) => ({
      what: `gives the enum ${schema}.${name} the same value twice`,
      hint: 'list each value once',
    }),
  },
  {
    pattern: /There's a duplicate role name '(.+?)'$/gm,
    describe: ([name]) => ({ what: `declares the role ${name} twice`, hint: twice }),
  },
]
