import nock from 'nock';

/** For a file whose requests all go to nock: nothing leaves, every answer that a test prepared is asked for, and http is given back in the end. */
export const nocked = (): void => {
  beforeEach(() => {
    nock.disableNetConnect();
  });
  afterEach(() => {
    expect(nock.isDone()).toBe(true);
    nock.cleanAll();
    nock.enableNetConnect();
  });
  // the http module is one for all test files of a process
  afterAll(() => {
    nock.restore();
  });
};
