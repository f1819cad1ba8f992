import { readFile, writeFile } from 'node:fs/promises';
import { loadSettings } from '../config/load-settings.js';
import { CLASSES, type ClassName, type ClassResult, type Finding } from '../domain/finding.js';
import { type FitWishes, fitClass, type LabelledStudy } from '../infer/fit-decision.js';
import { calibrated } from '../infer/log-odds.js';
import { openModelPackage } from '../infer/model-package.js';
import { type SiteCalibration, siteCalibrationSchema } from '../infer/site-calibration.js';
import { StatusStore } from '../store/status-store.js';
import { withCatalog } from './catalog.js';
import { EXIT } from './exit-codes.js';
import { parseStudyLabels, type StudyLabels } from './study-labels.js';
import { table } from './text.js';

export interface CalibrateOptions extends FitWishes {
  readonly config: string;
  readonly labels: string;
  readonly out: string;
  readonly json: boolean;
}

/** Why a labelled study says nothing about the model in use. */
const UNUSED = {
  unknown: 'not in the catalog (any more)',
  unread: 'not analysed: not eligible, failed, or still waiting',
  otherModel: 'read by another model, or by a Vigil that kept no logit: vigil reanalyse',
} as const;
type Unused = keyof typeof UNUSED;

interface ReadStudy extends StudyLabels {
  readonly classes: readonly ClassResult[];
}

/**
 * `vigil calibrate <labels.csv>`: fits a site's own calibration and thresholds to what the model in use said of studies
 * that radiologists have labelled, and writes them to a file for `inference.calibration`.
 */
export async function runCalibrate(options: CalibrateOptions): Promise<number> {
  const labelled = parseStudyLabels(await readFile(options.labels, 'utf8'));
  const { settings } = await loadSettings(options.config);
  const { model: folder, signedBy } = settings.inference;
  const { identity } = await openModelPackage(folder, signedBy);
  const unused: Record<Unused, number> = { unknown: 0, unread: 0, otherModel: 0 };
  const studies = await withCatalog(options.config, (catalog) => {
    const store = new StatusStore(catalog);
    return labelled.flatMap((study): ReadStudy[] => {
      const finding = store.finding(study.studyInstanceUid);
      const answer = usable(finding, identity.hash);
      if (typeof answer !== 'string') return [{ ...study, classes: answer }];
      unused[answer] += 1;
      return [];
    });
  });

  const classes: SiteCalibration['classes'] = {};
  const notFitted: Partial<Record<ClassName, string>> = {};
  for (const name of CLASSES) {
    const cases = casesOf(studies, name);
    if (cases.length === 0) continue;
    try {
      classes[name] = { ...counted(cases, options), ...fitClass(cases, options) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      notFitted[name] = error.message;
    }
  }
  const fitted = Object.keys(classes).length > 0;
  const { name, version, hash } = identity;
  if (fitted) {
    const site: SiteCalibration = {
      schema: 1,
      package: { name, version, hash },
      fittedAt: new Date().toISOString(),
      classes,
    };
    await writeFile(options.out, `${JSON.stringify(siteCalibrationSchema.parse(site), null, 2)}\n`);
  }
  const result = {
    out: fitted ? options.out : null,
    studies: studies.length,
    unused,
    notFitted,
    classes,
  };
  if (options.json) console.log(JSON.stringify(result));
  else print(result, studies);
  return fitted ? EXIT.done : EXIT.failed;
}

function usable(finding: Finding | undefined, hash: string): readonly ClassResult[] | Unused {
  if (finding === undefined) return 'unknown';
  if (finding.classes.length === 0) return 'unread';
  const kept = finding.classes.every(({ logit }) => Number.isFinite(logit));
  return kept && finding.model.hash === hash ? finding.classes : 'otherModel';
}

function casesOf(studies: readonly ReadStudy[], name: ClassName): LabelledStudy[] {
  return studies.flatMap(({ classes, labels }) => {
    const logit = classes.find((result) => result.name === name)?.logit;
    const present = labels[name];
    return logit === undefined || present === undefined ? [] : [{ logit, present }];
  });
}

function counted(cases: readonly LabelledStudy[], { missed, falseAlarms, prevalence }: FitWishes) {
  const studiesWith = cases.filter(({ present }) => present).length;
  return {
    studiesWith,
    studiesWithout: cases.length - studiesWith,
    missed,
    falseAlarms,
    prevalence: prevalence ?? studiesWith / cases.length,
  };
}

function print(
  result: Pick<SiteCalibration, 'classes'> & {
    readonly out: string | null;
    readonly unused: Readonly<Record<Unused, number>>;
    readonly notFitted: Partial<Record<ClassName, string>>;
  },
  studies: readonly ReadStudy[],
): void {
  console.log(`${studies.length} labelled studies with an answer by the model in use`);
  for (const [why, count] of Object.entries(result.unused)) {
    if (count > 0) console.log(`${count} left out: ${UNUSED[why as Unused]}`);
  }
  const rows = Object.entries(result.classes).map(
    ([name, { calibration, thresholds, ...about }]) => {
      const answers = casesOf(studies, name as ClassName).map(({ logit, present }) => {
        const p = calibrated(logit, calibration);
        return {
          present,
          called: p >= thresholds.positiveFrom,
          ruledOut: p < thresholds.negativeBelow,
        };
      });
      const count = (which: (answer: (typeof answers)[number]) => boolean) =>
        `${answers.filter(which).length}`;
      return [
        name,
        `${about.studiesWith}`,
        count((a) => a.present && a.called),
        count((a) => a.present && a.ruledOut),
        `${about.studiesWithout}`,
        count((a) => !a.present && a.ruledOut),
        count((a) => !a.present && a.called),
        threshold(thresholds.negativeBelow),
        threshold(thresholds.positiveFrom),
      ];
    },
  );
  const head = [
    'class',
    'with',
    'called',
    'missed',
    'without',
    'ruled out',
    'called',
    'negative below',
    'positive from',
  ];
  if (rows.length > 0) console.log(table([head, ...rows]));
  for (const [name, why] of Object.entries(result.notFitted))
    console.error(`${name}: not fitted, ${why}`);
  if (result.out !== null) {
    console.log(
      `Written to ${result.out}: name it as inference.calibration and start the node again.`,
    );
    console.log(
      'The counts are of the very studies that were fitted; expect a little worse of others.',
    );
  }
}

const threshold = (probability: number) => `${(100 * probability).toFixed(1)} %`;
