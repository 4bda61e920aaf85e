/** What tells whether a list is as it was last read. By triggers, so that no way of writing a list goes past it, nor an older program's. */
const bump = (row: 'new' | 'old'): string =>
  `insert into worklist_revision (owner, list, revision) values (${row}.owner, ${row}.list, 1) on conflict (owner, list) do update set revision = revision + 1;`;

export const script = `
-- a row for each list of an organisation, counted up by each change of a place on it; never deleted
create table worklist_revision (owner text not null, list text not null, revision integer not null, primary key (owner, list)) strict, without rowid;
create trigger worklist_inserted after insert on worklist begin ${bump('new')} end;
create trigger worklist_deleted after delete on worklist begin ${bump('old')} end;
create trigger worklist_updated after update on worklist begin ${bump('old')} ${bump('new')} end;
`;
