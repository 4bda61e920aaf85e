create index service_request_status_end on service_request_index (status, authored_end, rid);

create index service_request_end on service_request_index (authored_end, rid);
