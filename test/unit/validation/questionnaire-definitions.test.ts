import { questionnaire, told, type Item } from '../../helpers/questionnaires.js';

describe('a Questionnaire', () => {
  const errors = (items: readonly Item[], more: object = {}, ...known: readonly object[]) => told(known, questionnaire(items, more));
  const on = (question: string) => ({ enableWhen: [{ question, operator: 'exists', answerBoolean: true }] });
  const place = (path: string) => `Questionnaire.${path}`;

  it.each<readonly [string, readonly Item[], readonly string[]]>([
    [
      'asks of another question',
      [
        { linkId: 'a', type: 'string' },
        { linkId: 'b', type: 'string', ...on('a') },
      ],
      [],
    ],
    ['asks of none', [{ linkId: 'b', type: 'string', ...on('z') }], [`invalid ${place('item[0].enableWhen[0].question')}`]],
    ['asks of itself', [{ linkId: 'b', type: 'string', ...on('b') }], [`invalid ${place('item[0].enableWhen[0].question')}`]],
    [
      'asks of what it brings',
      [{ linkId: 'g', type: 'group', ...on('b'), item: [{ linkId: 'b', type: 'string' }] }],
      [`invalid ${place('item[0].enableWhen[0].question')}`],
    ],
    [
      'has a linkId twice',
      [
        { linkId: 'a', type: 'string' },
        { linkId: 'a', type: 'string' },
      ],
      ['invariant Questionnaire'],
    ],
    ['has a group of nothing', [{ linkId: 'a', type: 'group' }], [`invariant ${place('item[0]')}`]],
  ])('%s', (_, items, expected) => {
    expect(errors(items)).toEqual(expected);
  });

  const base = {
    ...questionnaire([
      { linkId: 'a', type: 'string', required: true, maxLength: 10 },
      { linkId: 'c', type: 'choice', answerOption: [{ valueString: 'x' }] },
    ]),
    url: 'https://example.org/Questionnaire/base',
  };
  const derived = (mode: string) => ({
    derivedFrom: [base.url],
    _derivedFrom: [
      {
        extension: [
          {
            url: 'http://hl7.org/fhir/StructureDefinition/questionnaire-derivationType',
            valueCoding: { system: 'http://hl7.org/fhir/questionnaire-derivationType', code: mode },
          },
        ],
      },
    ],
  });
  const a: Item = { linkId: 'a', type: 'string', maxLength: 5 };
  it.each<readonly [string, string, Item, readonly string[]]>([
    ['narrows a question', 'compliesWith', a, []],
    ['changes its type', 'compliesWith', { ...a, type: 'text' }, [`business-rule ${place('item[0].type')}`]],
    ['lets it repeat', 'compliesWith', { ...a, repeats: true }, [`business-rule ${place('item[0].repeats')}`]],
    ['leaves it open', 'compliesWith', { ...a, required: false }, [`business-rule ${place('item[0].required')}`]],
    ['lengthens it', 'compliesWith', { ...a, maxLength: 11 }, [`business-rule ${place('item[0].maxLength')}`]],
    [
      'adds an answer',
      'compliesWith',
      { linkId: 'c', type: 'choice', answerOption: [{ valueString: 'y' }] },
      [`business-rule ${place('item[0].answerOption')}`],
    ],
    ['adds a question', 'compliesWith', { linkId: 'z', type: 'string' }, [`business-rule ${place('item[0].linkId')}`]],
    ['extends by a question', 'extends', { linkId: 'z', type: 'string' }, []],
  ])('%s', (_, mode, item, expected) => {
    expect(errors([item], derived(mode), base)).toEqual(expected);
  });
});
