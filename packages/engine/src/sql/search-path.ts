/**
 * The statement that makes every name without a schema PostgreSQL's own, to the end of the transaction. It comes first in each
 * message of Drover's own: whoever may create objects in a schema of the search_path could otherwise have a function or an operator
 * called that fits better. Nothing of a revision may be in the same transaction.
 */
export const pinSearchPath = 'set local search_path = pg_catalog, pg_temp;\n'

/**
 * The text of a block in which every name without a schema is PostgreSQL's own, and after which the search_path is as it was: for what
 * shares a transaction with the statements of a revision, which see the search_path of the database to the very end.
 * @param parts.body statements of PL/pgSQL, each line ended
 * @param parts.declarations of variables, whose expressions see the search_path as it is outside
 */
export function writeOwnBlock(parts: { readonly body: string; readonly declarations?: string }): string {
  const { body, declarations = '' } = parts
  return `declare
  drover_path pg_catalog.text := pg_catalog.current_setting('search_path');
${declarations}begin
  ${pinSearchPath}${body}  perform pg_catalog.set_config('search_path', drover_path, true);
end`
}
