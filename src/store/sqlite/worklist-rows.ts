import type { WorklistPlace } from '../port.js';
import type { Cell } from './write-values.js';

export const insertPlace =
  'insert into worklist (referral, list, owner, authored, service, specialty, until, due, item) values (?, ?, ?, ?, ?, ?, ?, ?, ?)';

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
