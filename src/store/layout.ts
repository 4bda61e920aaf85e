/**
 * Which search parameters live in a column of their type's narrow table instead of rows of the general tables: the
 * single-valued, hot ones. Each parameter has exactly one home; both engines' schemas and the query builder follow this table.
 */
export type ColumnKind =
  | 'reference' // rid of the target
  | 'token' // term id of the code; for `code` elements, whose system is implied
  | 'instant'; // epoch ms

export type NarrowColumn = { readonly param: string; readonly column: string; readonly kind: ColumnKind };
export type NarrowTable = { readonly table: string; readonly columns: readonly NarrowColumn[] };

export const narrowTables: Readonly<Record<string, NarrowTable>> = {
  Slot: {
    table: 'slot_index',
    columns: [
      { param: 'schedule', column: 'schedule', kind: 'reference' },
      { param: 'status', column: 'status', kind: 'token' },
      { param: 'start', column: 'start_at', kind: 'instant' },
    ],
  },
  ServiceRequest: {
    table: 'service_request_index',
    columns: [
      { param: 'subject', column: 'subject', kind: 'reference' },
      { param: 'status', column: 'status', kind: 'token' },
    ],
  },
};

/** Parameters that R4 defines with the same expression as another one of the type share that one's home. */
const aliases: Readonly<Record<string, string>> = { 'ServiceRequest.patient': 'subject' };

/** The parameter under which values of `param` are kept. */
export const homeParam = (type: string, param: string): string => aliases[`${type}.${param}`] ?? param;

export const columnOf = (type: string, param: string): (NarrowColumn & { readonly table: string }) | undefined => {
  const narrow = narrowTables[type];
  const column = narrow?.columns.find((candidate) => candidate.param === homeParam(type, param));
  return narrow && column ? { ...column, table: narrow.table } : undefined;
};
