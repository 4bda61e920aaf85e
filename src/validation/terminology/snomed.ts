// SNOMED CT Release File Specification 6: SCTID of 6 to 18 digits, check digit by Verhoeff's dihedral group D5, partition in front of it

const multiply = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
].map((row) => row.split('').map(Number));

const permute = ['0123456789', '1576283094', '5803796142', '8916043527', '9453126870', '4286573901', '2793806415', '7046913258'].map(
  (row) => row.split('').map(Number),
);

const hasCheckDigit = (digits: string): boolean => {
  let check = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = digits.charCodeAt(digits.length - 1 - at) - 48;
    check = multiply[check]![permute[at % 8]![digit]!]!;
  }
  return check === 0;
};

/** Whether a text has the form of the identifier of a SNOMED CT concept: digits, check digit and the partition of concepts (00 or 10). */
export const isSnomedConcept = (code: string): boolean => /^[1-9]\d{5,17}$/.test(code) && hasCheckDigit(code) && /[01]0\d$/.test(code);
