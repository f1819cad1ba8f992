import type { Session } from '../../admin/api/schemas/session.js';

/** Where the API is, relative to the page: the console may stand under a path behind a proxy. */
export const API = './api/v1';

/** One thing that the server found wrong with what was sent. */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** What the server answered instead of doing it (RFC 9457), or status 0 where it could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly problems: readonly FieldProblem[];

  constructor(status: number, message: string, problems: readonly FieldProblem[] = []) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.problems = problems;
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface RequestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The API as one user's session sees it: it adds the token against forged requests, and says when the session is over. */
export class ApiClient {
  #session: Session | undefined;
  readonly #sessionOver: () => void;

  constructor(sessionOver: () => void) {
    this.#sessionOver = sessionOver;
  }

  /** Changes made from now on belong to this session. */
  use(session: Session | undefined): void {
    this.#session = session;
  }

  /** @throws ApiError where the answer is not a success */
  async request<Answer>(
    method: Method,
    path: string,
    { body, headers, signal }: RequestOptions = {},
  ): Promise<Answer> {
    const response = await this.#fetch(`${API}${path}`, {
      method,
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'GET' || !this.#session?.csrfToken
          ? {}
          : { 'x-csrf-token': this.#session.csrfToken }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.ok) {
      return (response.status === 204 ? undefined : await response.json()) as Answer;
    }
    if (response.status === 401 && this.#session !== undefined) this.#sessionOver();
    throw await errorOf(response);
  }

  get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
    return this.request('GET', path, signal === undefined ? {} : { signal });
  }

  post<Answer>(path: string, body: unknown = {}, signal?: AbortSignal): Promise<Answer> {
    return this.request('POST', path, signal === undefined ? { body } : { body, signal });
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new ApiError(0, 'Vigil cannot be reached. Is the node running?');
    }
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const problem = await problemOf(response);
  const message =
    problem.detail ?? problem.title ?? `The server answered with status ${response.status}`;
  return new ApiError(response.status, message, problem.problems);
}

interface ProblemDetails {
  readonly title?: string;
  readonly detail?: string;
  readonly problems?: readonly FieldProblem[];
}

/** A proxy between may answer with something else than the API's problem document. */
async function problemOf(response: Response): Promise<ProblemDetails> {
  if (!response.headers.get('content-type')?.includes('json')) return {};
  return response.json().catch(() => ({}));
}

/** What to tell a person about anything that went wrong. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'Something unexpected went wrong';
}
