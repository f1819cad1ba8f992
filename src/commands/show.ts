import { conflictReason } from '../domain/conflict.js';
import { percent } from '../domain/percent.js';
import { StatusStore, type StudyDetail } from '../store/status-store.js';
import { withCatalog } from './catalog.js';
import { EXIT } from './exit-codes.js';
import { outcomeText, table, when } from './text.js';

/** `vigil show <study>`: what happened to a study, and why. */
export async function runShow(options: {
  config: string;
  json: boolean;
  studyInstanceUid: string;
}): Promise<number> {
  const study = await withCatalog(options.config, (catalog) =>
    new StatusStore(catalog).study(options.studyInstanceUid),
  );
  if (study === undefined) {
    console.error(`${options.studyInstanceUid} is not in the catalog`);
    return EXIT.notFound;
  }
  console.log(options.json ? JSON.stringify(study) : describe(study));
  return EXIT.done;
}

function describe(study: StudyDetail): string {
  const sections = [
    `Study ${study.studyInstanceUid}, from ${study.callingAeTitle}, last slice ${when(study.lastInstanceAt)}`,
    section(
      'Series',
      study.series.map((series) => [
        String(series.seriesNumber ?? '-'),
        series.modality ?? '-',
        `${series.instances} images`,
        series.completionText === null
          ? series.state
          : `${series.confidence}: ${series.completionText}`,
        series.verdict === null ? '' : `${series.verdict}: ${series.verdictText}`,
      ]),
    ),
    ...study.analyses.map(describeAnalysis),
    section(
      'Deliveries',
      study.deliveries.map((delivery) => [
        delivery.kind,
        delivery.destination,
        delivery.state,
        outcomeText(delivery),
        `${delivery.attempts} attempts`,
        when(delivery.settledAt),
      ]),
    ),
    section(
      'Procedure steps',
      study.steps.map((step) => [
        step.callingAeTitle,
        step.state,
        `${step.instances} instances in ${step.series} series`,
        when(step.changedAt),
      ]),
    ),
    section(
      'Storage commitment',
      study.commitments.map((commitment) => [
        commitment.callingAeTitle,
        commitment.state,
        commitment.failed === null
          ? `${commitment.instances} instances`
          : `${commitment.instances - commitment.failed} of ${commitment.instances} committed`,
        commitment.failureCode ?? '',
        `${commitment.attempts} attempts`,
        when(commitment.settledAt),
      ]),
    ),
    section(
      'Conflicts',
      study.conflicts.map((conflict) => [
        when(conflict.receivedAt),
        conflict.kind,
        conflict.sopInstanceUid,
        otherStudy(study, conflict),
        conflict.settledAt === null ? 'open' : `settled ${when(conflict.settledAt)}`,
        conflict.file ?? '',
      ]),
    ),
    study.conflicts.length === 0 ? '' : conflictTexts(study),
    section(
      'Damaged files',
      study.damage.map(({ foundAt, kind, problem, file }) => [when(foundAt), kind, problem, file]),
    ),
    section(
      'Events',
      study.events.map((event) => [
        when(event.at),
        event.kind,
        Object.entries(event.detail)
          .map(([key, value]) => `${key}=${value}`)
          .join(' '),
      ]),
    ),
  ];
  return sections.filter((text) => text !== '').join('\n\n');
}

/** The other study of a conflict between two. */
function otherStudy(
  study: StudyDetail,
  { studyInstanceUid, firstStudyInstanceUid }: StudyDetail['conflicts'][number],
): string {
  const other = [studyInstanceUid, firstStudyInstanceUid].find(
    (uid) => uid !== study.studyInstanceUid,
  );
  return other === undefined ? '' : `with study ${other}`;
}

/** What the kinds of conflicts mean. */
function conflictTexts({ conflicts }: StudyDetail): string {
  const kinds = new Set(conflicts.map(({ kind }) => kind));
  return [...kinds].map((kind) => `  ${kind}: ${conflictReason(kind).text}`).join('\n');
}

function describeAnalysis(analysis: StudyDetail['analyses'][number]): string {
  const { revision, state, outcome, triggerText, finding } = analysis;
  const conflicts = finding?.conflicts ?? [];
  const lines = [
    `Analysis ${revision}: ${outcome ?? state}${finding?.reason ? ` (${finding.reason.text})` : ''}, because: ${triggerText}`,
    ...conflicts.map(({ text }) => `  CONFLICT: ${text}`),
    ...(finding?.classes ?? []).map(
      ({ name, probability, presence }) =>
        `  ${name.padEnd(18)} ${percent(probability).padStart(7)}  ${presence}`,
    ),
  ];
  return [...lines, ...routingLines(analysis), ...readingLines(analysis)].join('\n');
}

function routingLines({ routing }: StudyDetail['analyses'][number]): string[] {
  if (routing === null) return [];
  const { routes, undecided = [], unsent } = routing;
  return [
    `  Routes: ${routes.join(', ') || 'none holds'}`,
    ...undecided.map(({ route, reason }) => `  Route ${route} undecided: ${reason.text}`),
    ...(unsent === undefined ? [] : [`  NOT SENT: ${unsent}`]),
  ];
}

/** What other models said, for comparison. */
function readingLines({ secondReadings }: StudyDetail['analyses'][number]): string[] {
  return secondReadings.map(({ reader, finding: { outcome, reason, classes, model } }) => {
    const any = classes.find(({ name }) => name === 'any');
    const why = reason === undefined ? '' : ` (${reason.text})`;
    const probability = any === undefined ? '' : `, any ${percent(any.probability)}`;
    return `  Second reader ${reader} (${model.name} ${model.version}): ${outcome}${why}${probability}`;
  });
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  return `${title}\n${table(rows).replaceAll(/^/gm, '  ')}`;
}
