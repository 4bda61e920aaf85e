import { playJourney } from '../../src/cli/journey.js';
import { resourcesOf, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();

it('the whole journey works, twice', async () => {
  for (let round = 0; round < 2; round++) {
    const lines: string[] = [];
    await playJourney({ baseUrl: server.baseUrl, keys: `${server.dataDir}/clients`, say: (line) => lines.push(line) });
    expect(lines.at(-1)).toContain('The whole journey worked.');
  }
}, 60_000);

describe('booking', () => {
  const refer = async (service: string): Promise<string> => {
    const patient = resourcesOf((await server.as('gp', 'GET', 'Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9912003888')).json)[0];
    const answer = await server.as('gp', 'POST', 'ServiceRequest', {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: `Patient/${String(patient?.['id'])}` },
      requester: { reference: 'PractitionerRole/D82106-021600556514' },
      performer: [{ reference: service }],
    });
    expect(answer.status).toBe(201);
    return String(answer.json['id']);
  };
  const freeSlot = async () => {
    const found = (await server.as('gp', 'GET', 'Slot?status=free&_sort=start&_count=1&_include=Slot:schedule')).json;
    const schedule = resourcesOf(found, 'Schedule')[0]?.['actor'] as readonly { reference: string }[];
    return {
      id: String(resourcesOf(found, 'Slot')[0]?.['id']),
      service: schedule.find(({ reference }) => reference.startsWith('HealthcareService/'))?.reference ?? '',
    };
  };
  const booking = (slot: string, referral: string) => ({
    resourceType: 'Appointment',
    status: 'booked',
    slot: [{ reference: `Slot/${slot}` }],
    basedOn: [{ reference: `ServiceRequest/${referral}` }],
    participant: [{ status: 'accepted', type: [{ text: 'patient' }] }],
  });

  it('of one slot by 16 racing referrals: one 201, the rest 409 SLOT_NOT_AVAILABLE', async () => {
    const slot = await freeSlot();
    const referrals = await Promise.all(Array.from({ length: 16 }, () => refer(slot.service)));
    const answers = await Promise.all(referrals.map((referral) => server.as('gp', 'POST', 'Appointment', booking(slot.id, referral))));
    const won = answers.filter(({ status }) => status === 201);
    expect(won).toHaveLength(1);
    for (const { status, text } of answers.filter((answer) => answer.status !== 201)) {
      expect(status).toBe(409);
      expect(text).toContain('SLOT_NOT_AVAILABLE');
    }
    expect((await server.as('gp', 'GET', `Slot/${slot.id}`)).json['status']).toBe('busy');
    const winner = answers.findIndex(({ status }) => status === 201);
    const states = await Promise.all(
      referrals.map(async (id) => (await server.as('gp', 'GET', `ServiceRequest/${id}`)).text.includes('"code":"BOOKED"')),
    );
    expect(states.map((booked, index) => booked === (index === winner))).not.toContain(false);
  }, 60_000);

  it('holds for system clients too', async () => {
    const slot = await freeSlot();
    const [a, b] = await Promise.all([refer(slot.service), refer(slot.service)]);
    const { start, end } = (await server.as('gp', 'GET', `Slot/${slot.id}`)).json;
    const answers = await Promise.all(
      [a, b].map((referral) => server.as('system', 'POST', 'Appointment', { ...booking(slot.id, referral), start, end })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  });
});
