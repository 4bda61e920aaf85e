/** The indexes that sweep what expired hold that alone: most claims and entries never do, and each wrote a page of them for nothing. */
export const script = `
drop index claim_expires;
create index claim_expires on claim (expires) where expires is not null;
drop index entry_expires;
create index entry_expires on entry (expires) where expires is not null;
`;
