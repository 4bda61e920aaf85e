create index access_link_root on access_link (root, child);
