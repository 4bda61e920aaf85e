/** Worklists, and free slots by day. */
export const script = `
-- a referral's place on each list, with the text that the list shows; all rows of a referral are replaced together
create table worklist (referral text not null, list text not null, owner text not null, authored integer not null, service text,
  specialty text, until integer, due integer, item text not null) strict;
-- the rows to replace
create index worklist_referral on worklist (referral);
-- an organisation's list, the oldest first
create index worklist_owner on worklist (owner, list, authored, referral);
-- that of one service
create index worklist_service on worklist (service, list, authored, referral);
-- everybody's, for clients that are bound by scopes alone
create index worklist_list on worklist (list, authored, referral);
-- places that end by themselves are swept by this
create index worklist_until on worklist (until) where until is not null;

-- how many free slots of a diary begin on a day (days since 1970, UTC): kept with each write of slot_index
create table slot_day (schedule integer not null, day integer not null, free integer not null, primary key (schedule, day)) strict, without rowid;
insert into slot_day (schedule, day, free)
  select schedule, start_at / 86400000, count(*) from slot_index
  where schedule is not null and start_at is not null and status = (select id from term where text = 'free') group by 1, 2;
`;
