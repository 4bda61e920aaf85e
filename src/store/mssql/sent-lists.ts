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
/** What belongs to rows that were looked up, or comes in any number. */
const others = {
  whole: "n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version'",
  places:
    "referral nvarchar(64) '$.referral', list nvarchar(50) '$.list', owner nvarchar(50) '$.owner', authored bigint '$.authored', service nvarchar(64) '$.service', specialty nvarchar(100) '$.specialty', until bigint '$.until', due bigint '$.due', start int '$.start', length int '$.length'",
  keys: "n int '$.n', access_key nvarchar(200) '$.key'",
  re_targets: "n int '$.n', type int '$.type', id nvarchar(64) '$.id'",
} as const;

type Name = keyof typeof sought | keyof typeof others | 'row' | 'target' | 'days';
/** Where the statements of a batch have these rows from; `row`, `target` and `days` (what changes the count of a day) are its own tables. */
export type Sent = Readonly<Record<Name, string>>;

/** So many of each are few: whatever a person does at once. */
export const fewAtMost = 20;

const json = (lists: Readonly<Record<string, string>>, known: (from: string) => string): readonly (readonly [string, string])[] =>
  Object.entries(lists).map(([name, columns]) => [name, known(`openjson(@${name}) with (${columns})`)]);

/**
 * A server does not know how many rows a JSON text or a table variable has, and guesses hundreds: for so many it would rather read the whole
 * table that they are looked up in. Of few the statement says so, and each is sought.
 */
export const sentOf = (few: boolean): Sent => {
  const known = (from: string): string => (few ? `(select top (${String(fewAtMost)}) * from ${from} j)` : from);
  return {
    ...(Object.fromEntries([...json(sought, known), ...json(others, (from) => from)]) as Sent),
    row: known('@row'),
    target: known('@target'),
    // each slot leaves one day and comes to one
    days: `(select ${few ? `top (${String(2 * fewAtMost)}) ` : ''}schedule, day, sum(n) as n from @day group by schedule, day)`,
  };
};
