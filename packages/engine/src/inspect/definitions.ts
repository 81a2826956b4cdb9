import { quoteLiteral } from '../sql/quote.ts'

/** A row of the catalogue query that knows its schema, with the columns of `spaces`. */
type InSchema = 'relations' | 'spaces'

/** How the parts of the catalogue query write what has names of other objects in it; see `catalog-query.ts`. All of it is SQL. */
export interface Definitions {
  /** What the server writes of an object: the columns `detail` and `bare_detail`. */
  of(row: InSchema, expression: string): string
  /** What has to be one text, such as the arguments in the name of a function. */
  inName(row: InSchema, expression: string): string
  /** A definition that PostgreSQL begins with the schema whatever the search_path: `… ON app.users`. */
  headed(expression: string, qualified: string, labelled: string): string
  /** The definition of a row `routine` of pg_proc in `spaces`. */
  ofRoutine(expression: string): string
}

/** As the server writes them with nothing but pg_catalog in the search_path: every other name has its schema. */
export const qualifiedDefinitions: Definitions = {
  of: (_, expression) => `${expression}, null`,
  inName: (_, expression) => expression,
  headed: (expression) => expression,
  ofRoutine: (expression) => expression,
}

/**
 * With the object's own schema in the search_path: the names that stay without a schema are those of this schema, in expressions
 * and in constants of type regclass, while a text or an alias that only looks like the schema's name stays what it is.
 */
export const bareDefinitions: Definitions = {
  of: (row, expression) => `${inPath(`${row}.path`, expression)}, null`,
  inName: (row, expression) => inPath(`${row}.path`, expression),
  headed: replaceHead,
  ofRoutine: relabelRoutine,
}

/** Both forms: comparing them tells which names are those of the schema; see `schema-catalog.ts`. */
export const bothDefinitions: Definitions = {
  of: (row, expression) => `${inPath(qualifyingPath, expression)},\n    ${inPath(`${row}.path`, expression)}`,
  inName: (row, expression) => relabelNames(row, inPath(qualifyingPath, expression)),
  headed: replaceHead,
  ofRoutine: relabelRoutine,
}

/** The label in place of the schema's name, where nothing else than the schema can be meant. */
export function relabelNames(row: InSchema, expression: string): string {
  return `regexp_replace(
      ${expression},
      ${quoteLiteral('(^|[^\\w$."])')} || ${row}.own_pattern || '[.]', ${quoteLiteral('\\1')} || ${row}.label_template || '.', 'g'
    )`
}

const qualifyingPath = `'pg_catalog, pg_temp'`

/**
 * An expression evaluated with this search_path. Only CASE is sure to be evaluated in order and row by row, so that it does not
 * matter in which order the rows come. Setting takes longer than looking, and the rows of a schema mostly come together.
 *
 * The schema comes after pg_catalog: the names in the query itself are resolved by then, but the server has queries of its own to
 * read views with.
 */
function inPath(path: string, expression: string): string {
  return `case
      when case when current_setting('search_path') = ${path} then true else set_config('search_path', ${path}, true) <> '' end
      then ${expression}
    end`
}

/** The first mention alone: those that follow may be in texts. */
function replaceHead(expression: string, qualified: string, labelled: string): string {
  return `(
      select case
        when strpos(whole, ' ' || ${qualified}) = 0 then whole
        else overlay(whole placing ' ' || ${labelled} from strpos(whole, ' ' || ${qualified}) for length(' ' || ${qualified}))
      end
      -- Without the offset, the definition would be made anew for each mention of it.
      from (select ${expression} as whole offset 0) as definition
    )`
}

/**
 * What the search_path has no part in: the one that is set for a function, and its body where that is a text. There, the schema's
 * name counts in front of a dot, but not in texts and comments, nor where a table of the same name may be meant.
 */
function relabelRoutine(definition: string): string {
  const [qualified, labelled] = ['own', 'label'].map(
    (schema) => `spaces.${schema} || '.' || quote_ident(routine.proname) || '('`,
  )
  const headed = replaceHead(definition, `${qualified}`, `${labelled}`)
  return `(
      select case
        when strpos(routine.prosrc, spaces.nspname || '.') + strpos(routine.prosrc, spaces.quoted || '.') = 0
          or exists (select from pg_class where relname = spaces.nspname and relnamespace = spaces.oid)
        then configured.definition
        else (
          select string_agg(case when token[1] is null then token[2] else spaces.label || '.' end, '' order by place)
          -- The longest match wins: a word is taken as a whole.
          from regexp_matches(
            configured.definition,
            '((?:' || spaces.own_pattern || '|' || spaces.quoted_pattern || ')[.])' || ${quoteLiteral(otherTokens)},
            'g'
          ) with ordinality as found (token, place)
        )
      end
      from (
        select case
          when routine.proconfig is null then ${headed}
          else regexp_replace(
            ${headed},
            ${quoteLiteral('(\\n SET search_path TO [^\\n]*?)')} || spaces.literal_pattern,
            ${quoteLiteral(`\\1'`)} || replace(spaces.label_template, '''', '''''') || ''''
          )
        end as definition
      ) as configured
    )`
}

/** A text, a comment, a quoted name, a word or a character. */
const otherTokens = String.raw`|('(?:[^']|'')*'|--[^\n]*|"(?:[^"]|"")*"|[\w$]+|.)`
