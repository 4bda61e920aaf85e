import type { Key } from '../port.js';
import type { Connection } from './connection.js';
import type { Terms } from './terms.js';

/** What is there of a record. `version` 0: it was referred to and never stored. */
export type Head = { readonly rid: number; readonly version: number; readonly isLive: boolean };

const nameOf = ({ type, id }: Key): string => `${type}/${id}`;

/** The records that a unit names, each looked up once: a patient stands in most of what is written together. What the unit writes is noted. */
export class Heads {
  private readonly known = new Map<string, Head | undefined>();

  constructor(
    private readonly connection: Connection,
    private readonly terms: Terms,
  ) {}

  of(key: Key): Head | undefined {
    const name = nameOf(key);
    if (this.known.has(name)) return this.known.get(name);
    const head = this.read(key);
    this.known.set(name, head);
    return head;
  }

  note(key: Key, head: Head): void {
    this.known.set(nameOf(key), head);
  }

  private read({ type, id }: Key): Head | undefined {
    const term = this.terms.find(type);
    if (term === undefined) return undefined;
    const row = this.connection.tuple('select rid, version, body is not null from resource where type = ? and id = ?', term, id);
    return row && { rid: Number(row[0]), version: Number(row[1]), isLive: row[2] === 1 };
  }
}
