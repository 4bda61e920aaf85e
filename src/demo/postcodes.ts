import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { positionText, readPostcode, type Position } from '../domain/directory/postcodes.js';
import type { EntryPut, Store } from '../store/port.js';
import { places } from './facts/places.js';

/** as the directory has named them over the years, the form with one space first */
const postcodeColumns = ['pcds', 'pcd', 'pcd2', 'pcd7', 'pcd8'];

type Row = Readonly<Record<string, string>>;
type Known = { readonly key: string; readonly position: Position };
export type PostcodeReport = { readonly written: number; readonly ended: number; readonly unplaced: number };

const together = 2000;

/** Adds or replaces; an entry that is the same already is left alone. */
const writePositions = async (store: Store, rows: readonly Known[]): Promise<void> => {
  const entries: EntryPut[] = [];
  const present = await Promise.all(rows.map(({ key }) => store.findEntry('postcode', key)));
  for (const [at, { key, position }] of rows.entries()) {
    const body = positionText(position);
    const known = present[at];
    if (known?.body !== body) entries.push({ kind: 'postcode', key, version: known?.version ?? 0, body });
  }
  if (entries.length > 0) await store.commit({ entries });
};

/** The outward areas that the demo's addresses lie in. */
export const loadDemoPostcodes = (store: Store): Promise<void> =>
  writePositions(
    store,
    places.map(({ outward, lat, lon }) => ({ key: outward, position: { lat, lon } })),
  );

const column = (row: Row, ...names: readonly string[]): string => names.map((name) => row[name]).find((value) => value !== undefined) ?? '';

/**
 * Loads the ONS Postcode Directory (CSV with the columns pcds or pcd, lat, long, doterm): one position per postcode in use, and the mean of
 * each outward area. Rows that were terminated, or that have no position (the directory writes 99.999999), are left out.
 *
 * @throws Error that names the file and what is missing
 */
export const loadPostcodes = async (
  store: Store,
  file: string,
  say: (count: number) => void = () => undefined,
): Promise<PostcodeReport> => {
  const parser = createReadStream(file).pipe(
    parse({ columns: (names: string[]) => names.map((name) => name.trim().toLowerCase()), bom: true }),
  );
  const areas = new Map<string, { lat: number; lon: number; count: number }>();
  let batch: Known[] = [];
  const counts = { written: 0, ended: 0, unplaced: 0 };
  const flush = async (): Promise<void> => {
    await writePositions(store, batch);
    counts.written += batch.length;
    say(counts.written);
    batch = [];
  };
  for await (const row of parser as AsyncIterable<Row>) {
    refuseOtherFiles(file, row);
    const read = readPostcode(column(row, ...postcodeColumns));
    const position = { lat: Number(column(row, 'lat')), lon: Number(column(row, 'long')) };
    if (column(row, 'doterm').trim() !== '') counts.ended++;
    else if (read?.inward === undefined || !(Math.abs(position.lat) < 90)) counts.unplaced++;
    else {
      batch.push({ key: read.outward + read.inward, position });
      const area = areas.get(read.outward) ?? { lat: 0, lon: 0, count: 0 };
      areas.set(read.outward, { lat: area.lat + position.lat, lon: area.lon + position.lon, count: area.count + 1 });
      if (batch.length >= together) await flush();
    }
  }
  await flush();
  await writePositions(
    store,
    [...areas].map(([key, { lat, lon, count }]) => ({ key, position: { lat: round(lat / count), lon: round(lon / count) } })),
  );
  return counts;
};

const round = (degrees: number): number => Number(degrees.toFixed(5));

const refuseOtherFiles = (file: string, row: Row): void => {
  for (const [name, any] of Object.entries({ pcds: postcodeColumns, lat: ['lat'], long: ['long'] }))
    if (!any.some((candidate) => row[candidate] !== undefined))
      throw new Error(`${file} is no ONS Postcode Directory: it has no column ${name}`);
};
