import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Role } from '../../admin/api/schemas/common.js';
import type { Session } from '../../admin/api/schemas/session.js';
import type { ApiClient } from './client.js';
import type { LiveEvents } from './live.js';

/** What every page behind the login has at hand. */
export interface Connection {
  readonly api: ApiClient;
  readonly live: LiveEvents;
  readonly session: Session;
}

export const ConnectionContext = createContext<Connection | undefined>(undefined);

export function useConnection(): Connection {
  const connection = useContext(ConnectionContext);
  if (connection === undefined) throw new Error('A page was rendered outside of a session');
  return connection;
}

const RANKS: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** Whether the person may do what the role may. The server decides again; this only spares a button that would fail. */
export function useMay(role: Role): boolean {
  const { session } = useConnection();
  return RANKS[session.role] >= RANKS[role];
}
