create table slot_index (rid bigint not null, schedule bigint null, status int null, start_at bigint null,
      constraint slot_index_pk primary key clustered (rid),
      constraint slot_index_schedule_live foreign key (schedule) references live (rid));

create index slot_schedule on slot_index (schedule, status, start_at, rid);

create index slot_schedule_start on slot_index (schedule, start_at, rid);

create index slot_status on slot_index (status, start_at, rid);

create index slot_start on slot_index (start_at, rid);

create table service_request_index (rid bigint not null, subject bigint null, status int null, authored float null, authored_end float null,
      constraint service_request_index_pk primary key clustered (rid),
      constraint service_request_index_subject_live foreign key (subject) references live (rid));

create index service_request_subject on service_request_index (subject, status, rid);

create index service_request_status on service_request_index (status, rid);

create index service_request_status_authored on service_request_index (status, authored, rid);

create index service_request_authored on service_request_index (authored, rid);
