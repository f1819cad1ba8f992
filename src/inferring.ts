import type { Settings } from './config/settings.js';
import { InferStage } from './infer/analyse.js';
import type { Log } from './log.js';

/** Starts inference as the configuration has it, to be awaited later. @throws ModelPackageError */
export function openInference({ inference }: Settings, log: Log): Promise<InferStage> {
  const { model, signedBy, calibration, prevalence, maxKeySlices, ...process } = inference;
  const opening = InferStage.open({
    packageFolder: model,
    signedBy,
    ...(calibration !== 'shipped' && { calibration }),
    ...(prevalence !== 'as-calibrated' && { prevalence }),
    ...process,
    keySlices: maxKeySlices,
    log: log.child({ stage: 'infer' }),
  });
  // Refused before anybody waits for it, it is no unhandled rejection.
  opening.catch(() => undefined);
  return opening;
}
