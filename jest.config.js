/** Tests are transformed to CommonJS by swc; worker threads of the store run from `dist`, which `pretest` builds. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.(t|j|mj)s$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }],
  },
  // packages that are ES modules only
  transformIgnorePatterns: ['/node_modules/(?!(kysely|fhir-kit-client)/)'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^fhir-kit-client$': '<rootDir>/node_modules/fhir-kit-client/dist/index.js',
  },
  globalSetup: '<rootDir>/test/helpers/global-setup.ts',
  globalTeardown: '<rootDir>/test/helpers/global-teardown.ts',
  // a server is slow at the first use of each statement, and each connection of each process has its first
  testTimeout: process.env.MSSQL_URL === undefined ? 30_000 : 120_000,
  maxWorkers: 2,
};
