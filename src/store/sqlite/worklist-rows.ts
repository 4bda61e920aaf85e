import type { WorklistPlace, WorklistPut } from '../port.js';
import type { Connection } from './connection.js';
import { updateChanged, type Cell } from './owned-rows.js';

const columns = ['referral', 'list', 'owner', 'authored', 'service', 'specialty', 'until', 'due', 'item'] as const;

export const insertPlace = `insert into worklist (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`;

export const placeCells = (referral: string, place: WorklistPlace): readonly (Cell | null)[] => [
  referral,
  place.list,
  place.owner,
  place.authored,
  place.service ?? null,
  place.specialty ?? null,
  place.until ?? null,
  place.due ?? null,
  place.item,
];

const selectPlaces = `select rowid as place, ${columns.join(', ')} from worklist where referral = ?`;

/**
 * Makes the places of a referral those of the unit. A place that it keeps has another text, and one that it leaves becomes the next one:
 * each column that stays leaves the indexes over it alone.
 */
export const putPlaces = (connection: Connection, { referral, places }: WorklistPut): void => {
  const left = [...connection.all(selectPlaces, referral)];
  const wanted = places.map((place) => ({ list: place.list, cells: placeCells(referral, place) }));
  const takeBefore = (list: string | undefined) => {
    const at = list === undefined ? left.length - 1 : left.findIndex((row) => row['list'] === list);
    return at < 0 ? undefined : left.splice(at, 1)[0];
  };
  const kept = wanted.map(({ list, cells }) => ({ cells, before: takeBefore(list) }));
  for (const { cells, before } of kept) {
    const old = before ?? takeBefore(undefined);
    if (!old) {
      connection.run(insertPlace, ...cells);
      continue;
    }
    updateChanged(connection, { table: 'worklist', key: 'rowid', columns }, old, cells, Number(old['place']));
  }
  for (const row of left) connection.run('delete from worklist where rowid = ?', Number(row['place']));
};
