import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { CLASSES } from '../domain/finding.js';
import { atPrevalence } from './decision.js';
import { calibration, thresholds } from './model-manifest.js';
import type { ModelPackage } from './model-package.js';
import { ModelPackageError } from './model-package-error.js';

/** What `vigil calibrate` writes: a site's own calibration and thresholds of some classes, for one model package. */
export const siteCalibrationSchema = z.strictObject({
  schema: z.literal(1),
  package: z.strictObject({
    name: z.string(),
    version: z.string(),
    /** Hex SHA-256 of the package's manifest. */
    hash: z.string(),
  }),
  fittedAt: z.iso.datetime(),
  classes: z.partialRecord(
    z.enum(CLASSES),
    z.strictObject({
      studiesWith: z.int(),
      studiesWithout: z.int(),
      missed: z.number(),
      falseAlarms: z.number(),
      prevalence: z.number(),
      calibration,
      thresholds,
    }),
  ),
});

export type SiteCalibration = z.infer<typeof siteCalibrationSchema>;

/** What a site has set for a package. */
export interface SiteFit {
  /** A file that `vigil calibrate` wrote; the package's own calibration where absent. */
  readonly calibration?: string;
  /** The site's share of studies with a hemorrhage; the calibration's own where absent. */
  readonly prevalence?: number;
}

/** The package as the site wants it. @throws ModelPackageError */
export async function fitted(
  shipped: ModelPackage,
  { calibration, prevalence }: SiteFit,
): Promise<ModelPackage> {
  const model =
    calibration === undefined ? shipped : await withSiteCalibration(shipped, calibration);
  return prevalence === undefined ? model : withPrevalence(model, prevalence);
}

/**
 * The package with a site's calibration and thresholds in place of its own, and an identity that says so.
 * @throws ModelPackageError where the file cannot be read, or was fitted to another package
 */
export async function withSiteCalibration(
  model: ModelPackage,
  file: string,
): Promise<ModelPackage> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const message = `${file}, the calibration of inference.calibration, cannot be read`;
    throw new ModelPackageError('calibration-invalid', message, { cause });
  }
  const site = parse(bytes.toString('utf8'), file);
  const { name, version, hash } = model.identity;
  if (site.package.hash !== hash) {
    throw new ModelPackageError(
      'calibration-mismatch',
      `${file} was fitted to ${site.package.name} ${site.package.version}, not to ${name} ${version} as it is in ${model.folder}: fit it anew with "vigil calibrate", or set inference.calibration to shipped`,
    );
  }
  const decision = structuredClone(model.manifest.decision);
  for (const [className, fitted] of Object.entries(site.classes)) {
    const key = className as keyof typeof site.classes;
    decision.calibration[key] = fitted.calibration;
    decision.thresholds[key] = fitted.thresholds;
    if (decision.prevalence) decision.prevalence[key] = fitted.prevalence;
  }
  const calibrationHash = createHash('sha256').update(bytes).digest('hex');
  return {
    ...model,
    manifest: { ...model.manifest, decision },
    identity: { ...model.identity, calibrationHash },
  };
}

/**
 * The package with its probabilities shifted to a site's share of studies with a hemorrhage.
 * @throws ModelPackageError where the manifest does not say what share it was calibrated on
 */
export function withPrevalence(model: ModelPackage, prevalence: number): ModelPackage {
  const { decision } = model.manifest;
  const { prevalence: own } = decision;
  if (own === undefined) {
    throw new ModelPackageError(
      'prevalence-unknown',
      `manifest.json in ${model.folder} has no decision.prevalence to shift from: set inference.prevalence to as-calibrated`,
    );
  }
  return {
    ...model,
    manifest: {
      ...model.manifest,
      decision: atPrevalence({ ...decision, prevalence: own }, prevalence),
    },
    identity: { ...model.identity, prevalence },
  };
}

function parse(text: string, file: string): SiteCalibration {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ModelPackageError('calibration-invalid', `${file} is not JSON`, { cause });
  }
  const parsed = siteCalibrationSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const message = `${file} is no calibration by "vigil calibrate":\n${z.prettifyError(parsed.error)}`;
  throw new ModelPackageError('calibration-invalid', message);
}
