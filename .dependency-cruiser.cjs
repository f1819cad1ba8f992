/** Which folder may import which: see docs/architecture.md. Each line there has its rule here. */
const folder = (name) => `^src/${name}/`;
const only = (name, allowed, comment) => ({
  name: `${name}-imports`,
  comment,
  severity: 'error',
  from: { path: folder(name) },
  to: { path: '^src/', pathNot: [folder(name), ...allowed] },
});
const domain = folder('domain');
const dicom = folder('dicom');
const config = folder('config');
/** What any folder with I/O may use. */
const log = '^src/(log|built-module|thread)[.]ts$';
const tls = folder('tls');
const stage = (name, ...more) =>
  only(
    name,
    [domain, dicom, log, ...more],
    'A stage knows its own folder, the vocabulary and the log: stages are joined by rows, never by calls.',
  );

module.exports = {
  forbidden: [
    only('domain', [], 'The domain is pure and stands alone.'),
    {
      name: 'domain-is-pure',
      comment: 'No library and no Node module: the domain can be read and tested without either.',
      severity: 'error',
      from: { path: folder('domain') },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    only('dicom', [domain], 'DICOM vocabulary and encoding, no I/O.'),
    only(
      'config',
      [domain, dicom],
      'Settings are parsed at the edge into domain types; attributes are looked up by keyword.',
    ),
    only(
      'store',
      [domain, dicom, log],
      'The catalog knows the domain, how a Part 10 file is made, and the log.',
    ),
    only('jobs', [domain, log], 'The worker loop knows no stage.'),
    only('tls', [log], 'Certificates and the TLS profile, for whoever opens or takes connections.'),
    stage('receive', tls),
    stage('complete'),
    stage('infer'),
    stage('report'),
    stage('deliver', tls),
    stage('notify', tls),
    stage('commit'),
    only(
      'admin',
      [domain, dicom, log, config],
      'The admin side reads what the application hands to it.',
    ),
    only(
      'simulate',
      [domain, dicom, log],
      'The simulated peers speak DIMSE and know nothing of the node.',
    ),
    only(
      'console',
      ['^src/admin/api/schemas/'],
      'The console is a program of its own, in the browser: it knows the API and nothing else of the node.',
    ),
    {
      name: 'console-takes-types',
      comment: 'What the API answers is typed by its schemas; their code stays out of the browser.',
      severity: 'error',
      from: { path: folder('console') },
      to: { path: '^src/admin/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'console-is-not-imported',
      comment: 'The node serves the console as built files.',
      severity: 'error',
      from: { path: '^src/', pathNot: [folder('console')] },
      to: { path: folder('console') },
    },
    {
      name: 'main-imports',
      comment:
        'Signals, supervisor and configuration around the composition root; never a part of it.',
      severity: 'error',
      from: { path: '^src/main[.]ts$' },
      to: {
        path: '^src/',
        pathNot: ['^src/(app|systemd|log|config-check|config-versions)[.]ts$', config],
      },
    },
    {
      name: 'cli-imports',
      comment: 'The command line only names the commands; each has a file of its own.',
      severity: 'error',
      from: { path: '^src/cli[.]ts$' },
      to: { path: '^src/', pathNot: ['^src/(main|version)[.]ts$', '^src/commands/', config] },
    },
    {
      name: 'root-is-not-imported',
      comment: 'Only the entry points and the commands may build or run a node.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(main|cli|app)[.]ts$', '^src/commands/'] },
      to: { path: '^src/(app|receiving|committing|pipeline|administering|main|cli)[.]ts$' },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle has no first file to read.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-undeclared',
      comment:
        'What runs in production is declared as a dependency; the console is bundled when it is built.',
      severity: 'error',
      from: { path: '^src/', pathNot: [folder('console')] },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
