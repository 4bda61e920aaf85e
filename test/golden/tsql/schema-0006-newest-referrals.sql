create index service_request_status_authored_end on service_request_index (status, authored_end, rid);

create index service_request_authored_end on service_request_index (authored_end, rid);
