/** How many characters a text has: FHIR counts those of Unicode (R4 datatypes.html#string), not the halves that JavaScript keeps some in. */
export const lengthOf = (text: string): number => {
  let length = 0;
  for (const _ of text) length++;
  return length;
};
