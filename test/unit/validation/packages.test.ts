import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { readDefinitions } from '../../../src/packages/read-definitions.js';
import { isError } from '../../../src/validation/finding.js';
import { createValidator, ukCoreByDefault } from '../../../src/validation/validator.js';

const url = 'http://example.org/StructureDefinition/named-patient';
const profile = (version: string, baseDefinition: string, id = url) => ({
  resourceType: 'StructureDefinition',
  ...{ url: id, version, name: 'NamedPatient', status: 'active', kind: 'resource', abstract: false, type: 'Patient' },
  ...{ baseDefinition, derivation: 'constraint' },
  differential: { element: [{ id: 'Patient.birthDate', path: 'Patient.birthDate', min: 1 }] },
});
const patient = 'http://hl7.org/fhir/StructureDefinition/Patient';

type Files = Readonly<Record<string, unknown>>;
const filesOf = (name: string, ...resources: readonly object[]): Files => ({
  'package/package.json': { name, version: '1.0.0' },
  ...Object.fromEntries(resources.map((resource, index) => [`package/resource-${String(index)}.json`, resource])),
});

const writeArchive = async (file: string, files: Files): Promise<void> => {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, JSON.stringify(content));
  archive.finalize();
  await pipeline(archive, createGzip(), createWriteStream(file));
};

const writeFolder = (folder: string, files: Files): void => {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), JSON.stringify(content));
  }
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'packages-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const read = async () => {
  const problems: string[] = [];
  const definitions = await readDefinitions(folder, (problem) => problems.push(problem));
  const { validate } = createValidator(definitions, ukCoreByDefault(definitions));
  const errors = (resource: object) => validate(resource, { profiles: [url] }).filter(isError);
  return { problems, errors };
};

describe('PROFILE_PACKAGES', () => {
  const files = filesOf('example.profiles', profile('1.0.0', patient));
  const judgesByIt = async (): Promise<void> => {
    const { problems, errors } = await read();
    expect(problems).toEqual([]);
    expect(errors({ resourceType: 'Patient', birthDate: '2000-01-01' })).toEqual([]);
    expect(errors({ resourceType: 'Patient' })).toEqual([expect.objectContaining({ layer: 'profile', expression: ['Patient.birthDate'] })]);
  };

  it('loads a .tgz whose profile has a differential only', async () => {
    await writeArchive(path.join(folder, 'example.tgz'), files);
    await judgesByIt();
  });

  it('loads an unpacked folder', async () => {
    writeFolder(path.join(folder, 'example'), files);
    await judgesByIt();
  });

  it('reports by name what replaces another, and what is based on nothing known', async () => {
    const lost = 'http://example.org/StructureDefinition/lost';
    writeFolder(path.join(folder, 'a'), files);
    writeFolder(
      path.join(folder, 'b'),
      filesOf('example.newer', profile('2.0.0', patient), profile('1.0.0', 'http://example.org/none', lost)),
    );
    const { problems } = await read();
    expect(problems).toEqual([
      `example.newer#1.0.0 replaces ${url}|1.0.0 of example.profiles#1.0.0 by version 2.0.0`,
      `example.newer#1.0.0: ${lost} is based on http://example.org/none, which nothing here defines`,
    ]);
  });

  it('says which package cannot be read', async () => {
    writeFileSync(path.join(folder, 'broken.tgz'), 'no archive');
    await expect(read()).rejects.toThrow('the package broken.tgz cannot be read');
  });

  it('says that the folder is not there', async () => {
    await expect(readDefinitions(path.join(folder, 'none'))).rejects.toThrow('PROFILE_PACKAGES names no folder');
  });
});
