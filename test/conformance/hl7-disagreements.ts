/** Verdicts of HL7's reference validator that this one does not reach, with the reason for each. */
export const disagreements: Readonly<Record<string, string>> = {
  'parameters-reference-bad': 'references between the resources of Parameters are not resolved',
  'bundle-id-5': 'the displays of CVX are not known',
  'extension-version-restriction-range-ctxt-r4': 'the extension is not among the supporting files',
};
