import type { Step } from './scripts.js';

const text = (columns: number): string => `nvarchar(${String(columns)}) collate Latin1_General_BIN2`;

/** Worklists, and free slots by day. */
export const steps: readonly Step[] = [
  // a referral's place on each list, with the text that the list shows; all rows of a referral are replaced together
  {
    text: `create table worklist (entry bigint identity(1,1) not null, referral ${text(64)} not null, list ${text(50)} not null,
      owner ${text(50)} not null, authored bigint not null, service ${text(64)} null, specialty ${text(100)} null, until bigint null,
      due bigint null, item varbinary(max) not null, constraint worklist_pk primary key clustered (entry))`,
  },
  // the rows to replace
  { text: 'create index worklist_referral on worklist (referral)' },
  // an organisation's list, the oldest first; includes what a page tests before it reads the items
  { text: 'create index worklist_owner on worklist (owner, list, authored, referral) include (service, specialty, until)' },
  // that of one service
  { text: 'create index worklist_service on worklist (service, list, authored, referral) include (owner, specialty, until)' },
  // everybody's, for clients that are bound by scopes alone
  { text: 'create index worklist_list on worklist (list, authored, referral) include (service, specialty, until)' },
  // places that end by themselves are swept by this
  { text: 'create index worklist_until on worklist (until) where until is not null' },
  // how many free slots of a diary begin on a day (days since 1970, UTC): kept with each write of slot_index
  {
    text: `create table slot_day (schedule bigint not null, day bigint not null, free int not null,
      constraint slot_day_pk primary key clustered (schedule, day))`,
  },
  {
    text: `insert into slot_day (schedule, day, free) select d.schedule, d.day, count(*)
      from (select h.schedule, h.start_at / 86400000 as day from slot_index h inner join term t on t.id = h.status
        where t.text = 'free' and h.schedule is not null and h.start_at is not null) d group by d.schedule, d.day`,
  },
];
