import type { Organization } from 'fhir/r4.js';
import type { Found } from '../command.js';

/** An organisation that was closed stays in the directory, inactive: nothing is sent to it any more (ORGANISATION_IS_CLOSED). */
export const isClosed = (found: Found | undefined): boolean => (found?.resource as Partial<Organization> | undefined)?.active === false;
