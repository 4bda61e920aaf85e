import type { Binary, DocumentReference } from 'fhir/r4.js';
import { ers } from './codings.js';
import { localText } from './local-time.js';
import { patientReference, referralId, type Story } from './referrals.js';
import { displayName } from './codings.js';

/** A referral letter: the record of its bytes, `data` included, and the document that names them. */
export const letter = (story: Story, ids: { readonly binary: string; readonly document: string }): readonly [Binary, DocumentReference] => {
  const service = story.shortlist[0];
  const text = [
    'Demonstration letter: nobody in it exists.',
    '',
    `To: ${service?.organisation.name ?? ''}`,
    `From: ${displayName(story.referrer)}, ${story.person.practice.name}`,
    `UBRN: ${story.ubrn}`,
    '',
    `Please see ${story.person.given} ${story.person.family}, born ${story.person.born}.`,
    '',
  ].join('\n');
  const date = localText(story.authored + 1_800_000, story.timeZone);
  return [
    { resourceType: 'Binary', id: ids.binary, contentType: 'text/plain', data: Buffer.from(text).toString('base64') },
    {
      resourceType: 'DocumentReference',
      id: ids.document,
      status: 'current',
      type: { coding: [{ system: ers('AttachmentType'), code: 'REFERRER', display: 'Referrer' }], text: 'Referral letter' },
      subject: patientReference(story.person),
      date,
      author: [{ reference: `PractitionerRole/${story.person.practice.ods}-${story.referrer.sdsId}` }],
      description: 'Referral letter',
      content: [
        {
          attachment: {
            contentType: 'text/plain',
            url: `Binary/${ids.binary}`,
            size: Buffer.byteLength(text),
            title: 'referral-letter.txt',
            creation: date,
          },
        },
      ],
      context: { related: [{ reference: `ServiceRequest/${referralId(story)}` }] },
    },
  ];
};
