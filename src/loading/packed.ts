import type { BulkItem, Key, Value, WorklistPlace } from '../store/port.js';

/**
 * Items as they pass between threads: texts pass many times as fast as objects, the bodies are texts already, and values without the
 * names of their parts are a third of the text.
 */
export type Packed = { readonly rest: string; readonly bodies: readonly (string | undefined)[] };

type Cells = readonly (string | number)[];

const cellsOf = (value: Value): Cells => {
  switch (value.kind) {
    case 'token':
      return ['token', value.param, value.system, value.code];
    case 'reference':
      return ['reference', value.param, value.target.type, value.target.id];
    case 'range':
      return ['range', value.param, value.low, value.high];
    case 'text':
      return ['text', value.param, value.value];
    case 'position':
      return ['position', value.param, value.latitude, value.longitude];
    case 'word':
      return ['word', value.param, value.word];
  }
};

const valueOf = ([kind, param, one, two]: Cells): Value => {
  const [name, first, second] = [param as string, one as string, two as string];
  switch (kind as Value['kind']) {
    case 'token':
      return { kind: 'token', param: name, system: first, code: second };
    case 'reference':
      return { kind: 'reference', param: name, target: { type: first, id: second } };
    case 'range':
      return { kind: 'range', param: name, low: one as number, high: two as number };
    case 'text':
      return { kind: 'text', param: name, value: first };
    case 'position':
      return { kind: 'position', param: name, latitude: one as number, longitude: two as number };
    case 'word':
      return { kind: 'word', param: name as '_text' | '_content', word: first };
  }
};

type Row = readonly [
  ...[key: Key, lastUpdated: number, values: readonly Cells[]],
  ...[keys: readonly string[], links: BulkItem['put']['accessLinks'], claims: BulkItem['claims'], places: readonly WorklistPlace[] | null],
];

export const packed = (items: readonly BulkItem[]): Packed => ({
  rest: JSON.stringify(
    items.map(({ put: { type, id, lastUpdated, values, accessKeys, accessLinks }, claims, places }): Row => [
      ...([{ type, id }, lastUpdated, values.map(cellsOf)] as const),
      ...([accessKeys, accessLinks, claims, places ?? null] as const),
    ]),
  ),
  bodies: items.map(({ put }) => put.body),
});

export const unpacked = ({ rest, bodies }: Packed): readonly BulkItem[] =>
  (JSON.parse(rest) as readonly Row[]).map(([{ type, id }, lastUpdated, values, accessKeys, accessLinks, claims, places], at) => ({
    put: { type, id, version: 0, lastUpdated, body: bodies[at], values: values.map(valueOf), accessKeys, accessLinks },
    claims,
    ...(places == null ? {} : { places }),
  }));
