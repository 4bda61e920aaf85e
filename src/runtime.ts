import { setFlagsFromString } from 'node:v8';

// V8 learns from a burst of loading (demo data, an import) that objects of some places in the code live long, and from then on makes them
// in the old space: every request then leaves garbage there, and what it points to survives too. Measured: a third of a read's CPU.
// `npm run bench` shows it.
setFlagsFromString('--no-allocation-site-pretenuring');
