// Whether the time of an answer tells what is not there from what is not yours: medians of many requests, in turns.
import { randomUUID } from 'node:crypto';
import { must } from './world.mjs';

const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
const forms = {
  'read of a patient': ['Patient', (id) => ['GET', `Patient/${id}`]],
  'read of a referral': ['ServiceRequest', (id) => ['GET', `ServiceRequest/${id}`]],
  'read of a document': ['Binary', (id) => ['GET', `Binary/${id}`]],
  'search by patient': ['Patient', (id) => ['GET', `ServiceRequest?patient=Patient/${id}`]],
  $everything: ['Patient', (id) => ['GET', `Patient/${id}/$everything`]],
  'an operation': ['ServiceRequest', (id) => ['POST', `ServiceRequest/${id}/$ers.generateCRI`, { resourceType: 'Parameters' }]],
};

const apart =
  (name) =>
  async (world, { requests }) => {
    const [type, make] = forms[name];
    const ids = { yours: world.hidden[type], none: type === 'ServiceRequest' ? `r.${randomUUID()}` : randomUUID() };
    const times = { yours: [], none: [] };
    const warm = 50;
    for (let n = 0; n < requests + warm; n++)
      // each first as often, so that whatever else goes on meets both alike
      for (const which of n % 2 === 0 ? ['yours', 'none'] : ['none', 'yours']) {
        const started = performance.now();
        await world.ask('gp', ...make(ids[which]));
        if (n >= warm) times[which].push(performance.now() - started);
      }
    const [yours, none] = [median(times.yours), median(times.none)];
    const percent = (Math.abs(yours - none) / Math.min(yours, none)) * 100;
    const told = `${yours.toFixed(3)} and ${none.toFixed(3)} ms, ${percent.toFixed(1)} % apart`;
    must(percent <= 5, told);
    return { tries: 2 * requests, told };
  };

export const timing = Object.keys(forms).map((name) => [`not there, not yours: ${name}`, apart(name)]);
