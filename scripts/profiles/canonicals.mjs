import { directiveOf } from './read-table.mjs';

const folder = {
  profile: 'StructureDefinition',
  extension: 'StructureDefinition',
  valueset: 'ValueSet',
  codesystem: 'CodeSystem',
  namingsystem: 'NamingSystem',
};

/** The canonical URL of an artefact: its own `url:` line, or made from the table's canonical base and the id. */
export const urlOf = (artefact) => directiveOf(artefact, 'url') ?? `${artefact.canonical}/${folder[artefact.kind]}/${artefact.id}`;

/**
 * Turns the short names of the tables into canonical URLs: an id of the tables means that artefact, whatever else without a scheme
 * is HL7's own (`Patient`, `patient-birthPlace`, `all-languages`).
 */
export const createCanonicals = (artefacts) => {
  const known = new Map();
  for (const artefact of artefacts) {
    known.set(`${folder[artefact.kind]}/${artefact.id}`, urlOf(artefact));
    if (directiveOf(artefact, 'valueset') === 'all') known.set(`ValueSet/${artefact.id}`, `${artefact.canonical}/ValueSet/${artefact.id}`);
  }
  const resolve = (kind) => (name) => {
    if (/^[a-z]+:/i.test(name)) return name;
    return known.get(`${kind}/${name}`) ?? `http://hl7.org/fhir/${kind}/${name}`;
  };
  return {
    structure: resolve('StructureDefinition'),
    valueSet: resolve('ValueSet'),
    codeSystem: resolve('CodeSystem'),
  };
};

/** `UKCore-AddressKeyType` -> `UK Core Address Key Type` */
export const titleOf = (id) =>
  id
    .replaceAll('UKCore', 'UK Core')
    .replaceAll('eRS', 'e-RS')
    .replace(/^Extension-(.*)$/, '$1 extension')
    .replace(/(?<=[a-z])(?=[A-Z][a-z])/g, ' ')
    .replace(/(?<!\be)-/g, ' ');

/** A name that code can use (R4 sdf-0). */
export const nameOf = (id) => {
  const name = id.replace(/[^A-Za-z0-9]/g, '');
  return name.charAt(0).toUpperCase() + name.slice(1);
};
