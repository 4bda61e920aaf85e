import { directiveOf } from './read-table.mjs';
import { nameOf } from './canonicals.mjs';

/** An identifier system of the tables as a NamingSystem (R4 namingsystem.html). */
export const namingSystem = (artefact) => ({
  resourceType: 'NamingSystem',
  id: artefact.id,
  name: nameOf(artefact.id),
  status: artefact.status,
  kind: 'identifier',
  date: artefact.date,
  responsible: directiveOf(artefact, 'responsible'),
  description: artefact.description,
  uniqueId: [{ type: 'uri', value: directiveOf(artefact, 'uri'), preferred: true }],
});

/** What a NamingSystem has no element for: the form of a value, and the name of the check that code has to make. */
export const identifierRule = (artefact) => {
  const pattern = directiveOf(artefact, 'pattern');
  const check = directiveOf(artefact, 'check');
  return {
    name: artefact.id,
    system: directiveOf(artefact, 'uri'),
    ...(pattern === undefined ? {} : { pattern }),
    ...(check === undefined ? {} : { check }),
  };
};
