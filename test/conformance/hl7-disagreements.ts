/** Verdicts of HL7's reference validator that this one does not reach, with the reason for each. */
export const disagreements: Readonly<Record<string, string>> = {
  'obs-temp-bad': 'the vital signs profile is not taken from a LOINC code alone',
  'patient-ig-bad': 'ImplementationGuide.global does not make a profile the default',
  'parameters-reference-bad': 'references between the resources of Parameters are not resolved',
  'bundle-id-5': 'the displays of CVX are not known',
  'StructureDefinition-Slice23': 'the slicing that a StructureDefinition defines is not compared with that of its base',
  cm: 'the codes of a ConceptMap are not looked up in its value sets',
  'vs-bad-props': 'the filters of a ValueSet are not looked up in its code systems',
  'vs-filter-property-bad2': 'the filters of a ValueSet are not looked up in its code systems',
  'vs-bad-ecl': 'expressions of SNOMED CT are not parsed',
  'extension-version-restriction-range-ctxt-r4': 'the extension is not among the supporting files',
};
