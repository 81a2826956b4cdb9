/** For one message: text forms of values do not depend on who reads them. Compiling such a query costs more than it saves. */
export const pinFormats = `set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local timezone = 'UTC';
set local extra_float_digits = 1;
set local bytea_output = 'hex';
set local jit = off`
