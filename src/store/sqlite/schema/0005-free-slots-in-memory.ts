/** Free slots are counted where they are read: see sqlite/free-slots. */
export const script = `
drop table slot_day;
`;
