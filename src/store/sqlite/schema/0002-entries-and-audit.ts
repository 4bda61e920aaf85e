/** What the server keeps for itself, and the audit chains. */
export const script = `
-- clients, signing keys, leases: one row by name, each write over the version it read
create table entry (kind text not null, key text not null, version integer not null, body text not null, expires integer,
  primary key (kind, key)) strict, without rowid;
-- expired rows are swept by this
create index entry_expires on entry (expires);

-- append-only; hash covers the body and the link before
create table audit_link (chain text not null, number integer not null, hash text not null, body text not null,
  primary key (chain, number)) strict;
`;
