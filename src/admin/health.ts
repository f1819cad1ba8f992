/** One part's state; the reason is for people and holds no patient data. */
export interface HealthCheck {
  readonly ok: boolean;
  readonly reason?: string;
}

/** Whether Vigil can do its work, part by part. */
export interface HealthReport {
  readonly catalog: HealthCheck;
  readonly storage: HealthCheck;
  /** Whether the files are as they were received and made. */
  readonly archive: HealthCheck;
  /** Whether a person has looked at all images that contradict others. */
  readonly conflicts: HealthCheck;
  readonly receive: HealthCheck;
  readonly inference: HealthCheck;
  /** Whether the workers from the choice of series to the deliveries can do their passes. */
  readonly pipeline: HealthCheck;
  /** Whether results reach their destinations. */
  readonly deliveries: HealthCheck;
  /** A reason without a failure warns of what comes. */
  readonly certificates: HealthCheck;
  /** Whether the configuration file is what the node works by. */
  readonly configuration: HealthCheck;
}

/** Asks every part; the application answers it. */
export type Health = () => Promise<HealthReport>;

export interface HealthAnswer {
  readonly status: 'ok' | 'failing';
  readonly checks: Readonly<Record<string, HealthCheck>>;
}

/** A disk that hangs must show as a failure, not as a probe without an answer. Milliseconds. */
const TIMEOUT_MS = 5_000;

/** Asks for the health and answers in any case, soon. */
export async function askHealth(health: Health, timeoutMs = TIMEOUT_MS): Promise<HealthAnswer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`No answer from the parts within ${timeoutMs} ms`);
    timer = setTimeout(reject, timeoutMs, error);
  });
  try {
    const checks = { ...(await Promise.race([health(), late])) };
    const ok = Object.values(checks).every((check) => check.ok);
    return { status: ok ? 'ok' : 'failing', checks };
  } catch (error) {
    const reason = (error as Error).message;
    return { status: 'failing', checks: { health: { ok: false, reason } } };
  } finally {
    clearTimeout(timer);
  }
}
