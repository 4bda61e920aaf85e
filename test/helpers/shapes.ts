import { createShapes, typeUrl, type Shapes } from '../../src/fhir/shapes.js';
import { r4Definitions } from './definitions.js';

/** The shapes of all R4 types. */
export const shapes: Shapes = createShapes((type) => r4Definitions().findStructure(typeUrl(type)));
