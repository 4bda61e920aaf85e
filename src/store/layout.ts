/**
 * Which search parameters live in a column of their type's narrow table instead of rows of the general tables: the
 * single-valued, hot ones. Each parameter has exactly one home; both engines' schemas and the query builder follow this table.
 */
export type ColumnKind =
  | 'reference' // rid of the target
  | 'token' // term id of the code; for `code` elements, whose system is implied
  | 'instant' // epoch ms, one moment
  | 'span'; // epoch ms, half-open: the column and `${column}_end`

export type NarrowColumn = {
  readonly param: string;
  readonly column: string;
  readonly kind: ColumnKind;
  /** 1..1 in R4: never null */
  readonly required?: true;
};
export type NarrowTable = { readonly table: string; readonly columns: readonly NarrowColumn[] };

export const narrowTables: Readonly<Record<string, NarrowTable>> = {
  Slot: {
    table: 'slot_index',
    columns: [
      { param: 'schedule', column: 'schedule', kind: 'reference', required: true },
      { param: 'status', column: 'status', kind: 'token', required: true },
      { param: 'start', column: 'start_at', kind: 'instant', required: true },
    ],
  },
  ServiceRequest: {
    table: 'service_request_index',
    columns: [
      { param: 'subject', column: 'subject', kind: 'reference', required: true },
      { param: 'status', column: 'status', kind: 'token', required: true },
      { param: 'authored', column: 'authored', kind: 'span' },
    ],
  },
};

/** Parameters that R4 defines with the same expression as another one of the type share that one's home. */
const aliases: Readonly<Record<string, string>> = { 'ServiceRequest.patient': 'subject' };

/** The parameter under which values of `param` are kept. */
export const homeParam = (type: string, param: string): string => aliases[`${type}.${param}`] ?? param;

export type Home = NarrowColumn & { readonly table: string };

// asked several times by every search
const homes: ReadonlyMap<string, ReadonlyMap<string, Home>> = new Map(
  Object.entries(narrowTables).map(([type, { table, columns }]) => [
    type,
    new Map(columns.map((column) => [column.param, { ...column, table }])),
  ]),
);

export const columnOf = (type: string, param: string): Home | undefined => homes.get(type)?.get(homeParam(type, param));

/** Where a condition's values are kept in a column: those of another kind, as the identifier of a reference, have rows of their own. */
export const columnFor = (type: string, { kind, param }: { readonly kind: string; readonly param: string }): Home | undefined => {
  const column = columnOf(type, param);
  const own = column?.kind === 'instant' || column?.kind === 'span' ? 'range' : column?.kind;
  return own === kind ? column : undefined;
};

/**
 * Positions by cells of a quarter of a degree: a circle is a few runs of neighbouring cells, one a band of latitude. The exact test is
 * on the chord through the sphere, which needs no trigonometry from the engine.
 */
const cellsAround = 1440;
const earthKm = 6371.0088;
const radians = Math.PI / 180;

/** Bands a circle may touch before it is tested as one run over all of them. */
export const mostBands = 12;

const bandOf = (latitude: number): number => Math.floor((Math.min(Math.max(latitude, -90), 90) + 90) * 4);
const columnAt = (longitude: number): number => Math.floor((((((longitude + 180) % 360) + 360) % 360) * cellsAround) / 360);

export type Point = { readonly cell: number; readonly x: number; readonly y: number; readonly z: number };

export const pointOf = (latitude: number, longitude: number): Point => ({
  cell: bandOf(latitude) * cellsAround + columnAt(longitude),
  x: Math.cos(latitude * radians) * Math.cos(longitude * radians),
  y: Math.cos(latitude * radians) * Math.sin(longitude * radians),
  z: Math.sin(latitude * radians),
});

/** The runs of cells, inclusive, that a circle touches; always at least one. */
export const runsOf = (latitude: number, longitude: number, km: number): readonly (readonly [number, number])[] => {
  const height = km / earthKm / radians;
  const first = bandOf(latitude - height);
  const last = bandOf(latitude + height);
  const widest = Math.max(Math.abs(latitude - height), Math.abs(latitude + height));
  const whole = (from: number, to: number): readonly (readonly [number, number])[] => [
    [from * cellsAround, to * cellsAround + cellsAround - 1],
  ];
  const width = widest >= 89 ? 180 : height / Math.cos(widest * radians);
  // near the poles, across the date line or over a large part of the world the bands are taken whole
  if (last - first >= mostBands || longitude - width < -180 || longitude + width > 180) return whole(first, last);
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const start = (first + index) * cellsAround;
    return [start + columnAt(longitude - width), start + columnAt(longitude + width)] as const;
  });
};

/** The square of the chord between two points of the unit sphere that are `km` apart along the ground. */
export const chordSquare = (km: number): number => (2 * Math.sin(Math.min(km / earthKm / 2, Math.PI / 2))) ** 2;

/**
 * Parameters of elements of type `instant`, which always have seconds (R4 datatypes.html#instant) and are there once: no value of theirs
 * is longer than one. A walk in their order begins, or ends, where a condition on them does.
 */
const instants: ReadonlySet<string> = new Set(['Appointment.date']);

/** The longest that a value of a parameter lasts, in ms; undefined where it may last for ever. */
export const longestOf = (type: string, param: string): number | undefined => (instants.has(`${type}.${param}`) ? 1000 : undefined);

/** What a search parameter's values may be kept under beside its code: the keys of quantities begin with `|`, those of composites with `$`. */
export const isKeptFor = (name: string, type: string, param: string): boolean => {
  const own = `${plainType(type)}.${param}`;
  return name === own || name.startsWith(`${own}|`) || name.startsWith(`${own}$`);
};

/** Types whose rows are read by their own keys alone: no access link has one as its child. */
export const isNeverLinked = (type: string): boolean => type === 'ServiceRequest';

/**
 * A contained resource is a row of a type of its own, with the parameters of its plain type: chains and searches that ask for contained
 * resources find both in one walk.
 */
export const containedType = (type: string): string => `#${type}`;
export const isContainedType = (type: string): boolean => type.startsWith('#');
export const plainType = (type: string): string => (isContainedType(type) ? type.slice(1) : type);
