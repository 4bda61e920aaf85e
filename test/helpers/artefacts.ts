import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { CodeSystem, NamingSystem, StructureDefinition, ValueSet } from 'fhir/r4.js';

export type Artefact = StructureDefinition | ValueSet | CodeSystem | NamingSystem;
export type IdentifierRule = { readonly name: string; readonly system: string; readonly pattern?: string; readonly check?: string };
export type Artefacts = { readonly hash: string; readonly resources: readonly Artefact[]; readonly identifiers: readonly IdentifierRule[] };

export const projectRoot = path.resolve(__dirname, '..', '..');

/** What the build made of the tables of profiles/. */
export const readArtefacts = (): Artefacts =>
  JSON.parse(readFileSync(path.join(projectRoot, 'dist', 'profiles', 'artefacts.json'), 'utf8')) as Artefacts;

/** Data that lies beside the project and is never part of it. */
export const besideProject = (...names: readonly string[]): string => path.join(projectRoot, '..', 'shared', ...names);
