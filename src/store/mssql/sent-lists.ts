/** What a batch is sent as JSON to be looked up, by the name of its parameter: the columns that it is read as. */
const sought = {
  expects: "n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version'",
  claims:
    "n int '$.n', kind nvarchar(30) '$.kind', claim_key nvarchar(400) '$.key', owner nvarchar(200) '$.owner', expires bigint '$.expires'",
  releases: "kind nvarchar(30) '$.kind', claim_key nvarchar(400) '$.key', owner nvarchar(200) '$.owner'",
  entries:
    "n int '$.n', kind nvarchar(30) '$.kind', entry_key nvarchar(400) '$.key', version int '$.version', start int '$.start', length int '$.length', expires bigint '$.expires'",
  listed: "referral nvarchar(64) '$.referral'",
  puts: "n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version', last_updated bigint '$.last', start int '$.start', length int '$.length'",
  targets: "n int '$.n', type int '$.type', id nvarchar(64) '$.id'",
  links: "n int '$.n', child_type int '$.ct', child_id nvarchar(64) '$.ci', root_type int '$.rt', root_id nvarchar(64) '$.ri'",
} as const;
/** Rows that stay as they are and are indexed anew, with all their values or with some. */
const walked = {
  whole: "n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version'",
  re_rows: "n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version'",
} as const;
/** What belongs to rows that were looked up, or comes in any number. */
const others = {
  places:
    "referral nvarchar(64) '$.referral', list nvarchar(50) '$.list', owner nvarchar(50) '$.owner', authored bigint '$.authored', service nvarchar(64) '$.service', specialty nvarchar(100) '$.specialty', until bigint '$.until', due bigint '$.due', start int '$.start', length int '$.length'",
  keys: "n int '$.n', access_key nvarchar(200) '$.key'",
  re_targets: "n int '$.n', type int '$.type', id nvarchar(64) '$.id'",
} as const;

type Name = keyof typeof sought | keyof typeof walked | keyof typeof others | 'row' | 'again' | 'target' | 'days';
/** Where the statements of a batch have these rows from; `row`, `again`, `target` and `days` (what changes the count of a day) are its own tables. */
export type Sent = Readonly<Record<Name, string>>;

/**
 * How much a unit has. Few: of each no more than a person does at once, and of few slots no more than a booking changes. A page: what a walk
 * through all that is stored indexes anew at a time.
 */
export type Size = 'few slots' | 'few' | 'page' | 'many';
/** so many slots a booking changes: one is taken, or another as well given back */
export const fewSlotsAtMost = 4;
export const fewAtMost = 20;
export const pageAtMost = 50;

type Most = { readonly lists?: number; readonly rows?: number; readonly days?: number };
/** Rows of each at most; each slot leaves one day and comes to one. */
const mostOf: Readonly<Record<Size, Most>> = {
  'few slots': { lists: fewAtMost, rows: fewAtMost, days: 2 * fewSlotsAtMost },
  few: { lists: fewAtMost, rows: fewAtMost, days: 2 * fewAtMost },
  page: { rows: pageAtMost, days: 2 * pageAtMost },
  many: {},
};

const json = (lists: Readonly<Record<string, string>>, known: (from: string) => string): readonly (readonly [string, string])[] =>
  Object.entries(lists).map(([name, columns]) => [name, known(`openjson(@${name}) with (${columns})`)]);

const top = (most: number | undefined): string => (most === undefined ? '' : `top (${String(most)}) `);
const known = (from: string, most: number | undefined): string => (most === undefined ? from : `(select ${top(most)}* from ${from} j)`);

/**
 * A server does not know how many rows a JSON text or a table variable has, and guesses hundreds: for so many it would rather read the whole
 * table that they are looked up in. Where there are fewer the statement says so, and each is sought. Of the counts of days, which are many
 * times fewer than slots, even forty would be read as the whole table, and every booking then wait for every other.
 */
export const sentOf = (size: Size): Sent => {
  const { lists, rows, days } = mostOf[size];
  return {
    ...(Object.fromEntries([...json(sought, (from) => known(from, lists)), ...json(others, (from) => from)]) as Sent),
    ...Object.fromEntries(json(walked, (from) => known(from, rows))),
    row: known('@row', rows),
    again: known('@again', rows),
    target: known('@target', lists),
    days: `(select ${top(days)}schedule, day, sum(n) as n from @day group by schedule, day)`,
  };
};
