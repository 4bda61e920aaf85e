/** What a caller may read through what he sees, found from there. */
export const script = `
-- letters, tasks and appointments by the referral whose readers read them
create index access_link_root on access_link (root, child);
`;
