import { answering, colours, extension, lengths, said, type Item } from '../../helpers/questionnaires.js';

describe('each kind of question has its kind of answer', () => {
  it.each<readonly [string, object, object]>([
    ['boolean', { valueBoolean: true }, { valueString: 'yes' }],
    ['decimal', { valueDecimal: 1.5 }, { valueInteger: 1 }],
    ['integer', { valueInteger: 1 }, { valueDecimal: 1.5 }],
    ['date', { valueDate: '2026-01-01' }, { valueDateTime: '2026-01-01' }],
    ['dateTime', { valueDateTime: '2026-01-01' }, { valueDate: '2026-01-01' }],
    ['time', { valueTime: '10:00:00' }, { valueString: '10:00' }],
    ['string', { valueString: 'x' }, { valueCoding: { code: 'x' } }],
    ['text', { valueString: 'x' }, { valueUri: 'urn:x:y' }],
    ['url', { valueUri: 'http://example.org' }, { valueString: 'http://example.org' }],
    ['choice', { valueCoding: { system: 'urn:x:y', code: 'x' } }, { valueQuantity: { value: 1 } }],
    ['open-choice', { valueString: 'x' }, { valueBoolean: true }],
    ['attachment', { valueAttachment: { title: 'x' } }, { valueString: 'x' }],
    ['reference', { valueReference: { reference: 'Patient/1' } }, { valueString: 'Patient/1' }],
    ['quantity', { valueQuantity: { value: 1 } }, { valueDecimal: 1 }],
  ])('%s', (type, right, wrong) => {
    const errors = answering({ linkId: 'a', type });
    expect(errors([said('a', right)])).toEqual([]);
    expect(errors([said('a', wrong)])).toEqual(['invariant R.item[0].answer[0].value']);
  });
});

describe('what a question asks of its answer', () => {
  const place = 'R.item[0].answer[0].value';
  it.each<readonly [string, object, object, object, string]>([
    ['maxLength', { type: 'string', maxLength: 3 }, { valueString: 'abc' }, { valueString: 'abcd' }, 'invariant'],
    [
      'minLength',
      { type: 'string', ...extension('minLength', { valueInteger: 3 }) },
      { valueString: 'abc' },
      { valueString: 'ab' },
      'invariant',
    ],
    [
      'regex',
      { type: 'string', ...extension('regex', { valueString: '[A-Z]{2}\\d' }) },
      { valueString: 'AB1' },
      { valueString: 'xAB1' },
      'invariant',
    ],
    ['minValue', { type: 'integer', ...extension('minValue', { valueInteger: 3 }) }, { valueInteger: 3 }, { valueInteger: 2 }, 'invariant'],
    [
      'maxValue',
      { type: 'date', ...extension('maxValue', { valueDate: '2026-01-01' }) },
      { valueDate: '2026-01-01' },
      { valueDate: '2026-01-02' },
      'invariant',
    ],
    [
      'maxDecimalPlaces',
      { type: 'decimal', ...extension('maxDecimalPlaces', { valueInteger: 1 }) },
      { valueDecimal: 1.5 },
      { valueDecimal: 1.25 },
      'invariant',
    ],
    [
      'mimeType',
      { type: 'attachment', ...extension('mimeType', { valueCode: 'image/png' }) },
      { valueAttachment: { contentType: 'image/png' } },
      { valueAttachment: { title: 'x' } },
      'invariant',
    ],
    [
      'maxSize',
      { type: 'attachment', ...extension('maxSize', { valueDecimal: 0.000001 }) },
      { valueAttachment: { size: 1 } },
      { valueAttachment: { contentType: 'a/b', data: 'AAAA' } },
      'invariant',
    ],
    [
      'referenceResource',
      { type: 'reference', ...extension('questionnaire-referenceResource', { valueCode: 'Patient' }) },
      { valueReference: { reference: 'Patient/1' } },
      { valueReference: { reference: 'Device/1' } },
      'invariant',
    ],
    [
      'unitOption',
      { type: 'quantity', ...extension('questionnaire-unitOption', { valueCoding: { system: 'http://unitsofmeasure.org', code: 'kg' } }) },
      { valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code: 'kg' } },
      { valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code: 'g' } },
      'invariant',
    ],
    [
      'unitValueSet',
      { type: 'quantity', ...extension('questionnaire-unitValueSet', { valueCanonical: lengths.url }) },
      { valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code: 'cm' } },
      { valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code: 'kg' } },
      'code-invalid',
    ],
    ['answerOption', { type: 'choice', answerOption: [{ valueString: 'a' }] }, { valueString: 'a' }, { valueString: 'b' }, 'code-invalid'],
    [
      'answerOption of codes',
      { type: 'choice', answerOption: [{ valueCoding: { system: 'urn:x:y', code: 'a' } }] },
      { valueCoding: { system: 'urn:x:y', code: 'a', display: 'A' } },
      { valueCoding: { system: 'urn:x:z', code: 'a' } },
      'code-invalid',
    ],
    [
      'answerValueSet',
      { type: 'choice', answerValueSet: colours.url },
      { valueCoding: { system: 'https://example.org/colours', code: 'r' } },
      { valueCoding: { system: 'https://example.org/colours', code: 'b' } },
      'code-invalid',
    ],
    [
      'answerValueSet of a text',
      { type: 'string', answerValueSet: colours.url },
      { valueString: 'Red' },
      { valueString: 'Blue' },
      'code-invalid',
    ],
  ])('%s', (_, item, right, wrong, code) => {
    const errors = answering({ linkId: 'a', ...item } as Item);
    expect(errors([said('a', right)])).toEqual([]);
    expect(errors([said('a', wrong)])).toEqual([`${code} ${place}`]);
  });

  it('a free text beside the options of an open choice', () => {
    const errors = answering({ linkId: 'a', type: 'open-choice', answerOption: [{ valueCoding: { system: 'urn:x:y', code: 'a' } }] });
    expect(errors([said('a', { valueString: 'another' })])).toEqual([]);
    expect(errors([said('a', { valueCoding: { system: 'urn:x:y', code: 'b' } })])).toEqual([`code-invalid ${place}`]);
  });

  it('an expression that takes years is stopped', () => {
    const errors = answering({ linkId: 'a', type: 'string', ...extension('regex', { valueString: '(a+)+' }) });
    expect(errors([said('a', { valueString: `${'a'.repeat(60)}b` })])).toEqual([`too-costly ${place}`]);
  });
});

describe('how often, and whether at all', () => {
  const a = { valueString: 'x' };
  it.each<readonly [string, Item, readonly object[], readonly string[]]>([
    ['twice where it does not repeat', { linkId: 'a', type: 'string' }, [said('a', a, a)], ['structure R.item[0]']],
    ['in two items where it does not repeat', { linkId: 'a', type: 'string' }, [said('a', a), said('a', a)], ['structure R']],
    ['twice where it repeats', { linkId: 'a', type: 'string', repeats: true }, [said('a', a, a)], []],
    [
      'more than maxOccurs',
      { linkId: 'a', type: 'string', repeats: true, ...extension('questionnaire-maxOccurs', { valueInteger: 2 }) },
      [said('a', a, a, a)],
      ['structure R'],
    ],
    [
      'as often as maxOccurs',
      { linkId: 'a', type: 'string', repeats: true, ...extension('questionnaire-maxOccurs', { valueInteger: 2 }) },
      [said('a', a, a)],
      [],
    ],
    [
      'less than minOccurs',
      { linkId: 'a', type: 'string', repeats: true, ...extension('questionnaire-minOccurs', { valueInteger: 2 }) },
      [said('a', a)],
      ['required R'],
    ],
    ['not, where it must', { linkId: 'a', type: 'string', required: true }, [], ['required R']],
    ['by an item without an answer', { linkId: 'a', type: 'string', required: true }, [{ linkId: 'a' }], ['required R']],
    [
      'not, in a group that must be',
      { linkId: 'a', type: 'group', required: true, item: [{ linkId: 'b', type: 'string' }] },
      [],
      ['required R'],
    ],
    [
      'not, below a group that is there',
      {
        linkId: 'a',
        type: 'group',
        item: [
          { linkId: 'b', type: 'string', required: true },
          { linkId: 'c', type: 'string' },
        ],
      },
      [{ linkId: 'a', item: [said('c', a)] }],
      ['required R.item[0]'],
    ],
    [
      'not, below an answer',
      { linkId: 'a', type: 'string', item: [{ linkId: 'b', type: 'string', required: true }] },
      [said('a', a)],
      ['required R.item[0].answer[0]'],
    ],
  ])('%s', (_, item, given, expected) => {
    expect(answering(item)(given)).toEqual(expected);
  });

  it('one that is in progress need not be whole', () => {
    expect(answering({ linkId: 'a', type: 'string', required: true })([], 'in-progress')).toEqual([]);
  });
});

describe('where an item stands', () => {
  const two: readonly Item[] = [
    { linkId: 'a', type: 'string', text: 'Name?' },
    {
      linkId: 'g',
      type: 'group',
      item: [
        { linkId: 'b', type: 'string' },
        { linkId: 'd', type: 'display', text: 'x' },
      ],
    },
  ];
  const x = { valueString: 'x' };
  it.each<readonly [string, readonly object[], readonly string[]]>([
    ['in order', [said('a', x), { linkId: 'g', item: [said('b', x), { linkId: 'd' }] }], []],
    ['out of order', [{ linkId: 'g', item: [said('b', x)] }, said('a', x)], ['structure R.item[1]']],
    ['nowhere', [said('z', x)], ['structure R.item[0]']],
    ['elsewhere', [said('b', x)], ['structure R.item[0]']],
    ['an answer to a group', [{ linkId: 'g', answer: [x] }], ['structure R.item[0]']],
    ['an answer to a display', [{ linkId: 'g', item: [said('b', x), said('d', x)] }], ['structure R.item[0].item[1]']],
    ['an item below a question', [{ linkId: 'a', item: [said('b', x)] }], ['structure R.item[0]']],
    ['under another text', [{ ...said('a', x), text: 'Age?' }], ['invalid R.item[0].text']],
    ['under its text', [{ ...said('a', x), text: 'Name?' }], []],
  ])('%s', (_, given, expected) => {
    expect(answering(...two)(given)).toEqual(expected);
  });
});

describe('enableWhen', () => {
  const when = (operator: string, answer: object, more: object = {}): Item => ({
    linkId: 'b',
    type: 'string',
    required: true,
    enableWhen: [{ question: 'a', operator, ...answer }],
    ...more,
  });
  const b = said('b', { valueString: 'x' });
  it.each<readonly [string, Item, object, boolean]>([
    ['=', when('=', { answerInteger: 1 }), { valueInteger: 1 }, true],
    ['= another', when('=', { answerInteger: 1 }), { valueInteger: 2 }, false],
    ['!=', when('!=', { answerInteger: 1 }), { valueInteger: 2 }, true],
    ['>', when('>', { answerInteger: 1 }), { valueInteger: 2 }, true],
    ['> the same', when('>', { answerInteger: 1 }), { valueInteger: 1 }, false],
    ['<=', when('<=', { answerInteger: 1 }), { valueInteger: 1 }, true],
    ['exists', when('exists', { answerBoolean: true }), { valueInteger: 1 }, true],
    ['exists not', when('exists', { answerBoolean: false }), { valueInteger: 1 }, false],
  ])('%s', (_, item, answer, enabled) => {
    const errors = answering({ linkId: 'a', type: 'integer' }, item);
    expect(errors([said('a', answer)])).toEqual(enabled ? ['required R'] : []);
    expect(errors([said('a', answer), b])).toEqual(enabled ? [] : ['invariant R.item[1]']);
  });

  it('of any, or of all', () => {
    const conditions = [
      { question: 'a', operator: '=', answerInteger: 1 },
      { question: 'a', operator: '>', answerInteger: 5 },
    ];
    const of = (enableBehavior: string) =>
      answering({ linkId: 'a', type: 'integer' }, { linkId: 'b', type: 'string', enableWhen: conditions, enableBehavior });
    expect(of('any')([said('a', { valueInteger: 1 }), b])).toEqual([]);
    expect(of('all')([said('a', { valueInteger: 1 }), b])).toEqual(['invariant R.item[1]']);
  });

  it('asks of the answers in the same repetition of a group', () => {
    const errors = answering({
      linkId: 'g',
      type: 'group',
      repeats: true,
      item: [
        { linkId: 'a', type: 'boolean' },
        { linkId: 'b', type: 'string', enableWhen: [{ question: 'a', operator: '=', answerBoolean: true }] },
      ],
    });
    const yes = said('a', { valueBoolean: true });
    const no = said('a', { valueBoolean: false });
    expect(
      errors([
        { linkId: 'g', item: [yes, b] },
        { linkId: 'g', item: [no] },
      ]),
    ).toEqual([]);
    expect(
      errors([
        { linkId: 'g', item: [yes] },
        { linkId: 'g', item: [no, b] },
      ]),
    ).toEqual(['invariant R.item[1].item[1]']);
  });

  it('forbids a group with what it holds', () => {
    const errors = answering(
      { linkId: 'a', type: 'boolean' },
      {
        linkId: 'g',
        type: 'group',
        enableWhen: [{ question: 'a', operator: '=', answerBoolean: true }],
        item: [{ linkId: 'b', type: 'string' }],
      },
    );
    expect(errors([said('a', { valueBoolean: false }), { linkId: 'g', item: [b] }])).toEqual(['invariant R.item[1]']);
    expect(errors([said('a', { valueBoolean: false }), { linkId: 'g' }])).toEqual([]);
  });
});
