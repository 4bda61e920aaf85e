create table worklist (entry bigint identity(1,1) not null, referral nvarchar(64) collate Latin1_General_BIN2 not null, list nvarchar(50) collate Latin1_General_BIN2 not null,
      owner nvarchar(50) collate Latin1_General_BIN2 not null, authored bigint not null, service nvarchar(64) collate Latin1_General_BIN2 null, specialty nvarchar(100) collate Latin1_General_BIN2 null, until bigint null,
      due bigint null, item varbinary(max) not null, constraint worklist_pk primary key clustered (entry));

create index worklist_referral on worklist (referral);

create index worklist_owner on worklist (owner, list, authored, referral) include (service, specialty, until);

create index worklist_service on worklist (service, list, authored, referral) include (owner, specialty, until);

create index worklist_list on worklist (list, authored, referral) include (service, specialty, until);

create index worklist_until on worklist (until) where until is not null;

create table slot_day (schedule bigint not null, day bigint not null, free int not null,
      constraint slot_day_pk primary key clustered (schedule, day));

insert into slot_day (schedule, day, free) select d.schedule, d.day, count(*)
      from (select h.schedule, h.start_at / 86400000 as day from slot_index h inner join term t on t.id = h.status
        where t.text = 'free' and h.schedule is not null and h.start_at is not null) d group by d.schedule, d.day;
