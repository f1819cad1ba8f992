import type { Socket } from 'node:net';
import type { Association } from './association.js';

/** Ends a connection that never came to speak DICOM, and that is no fault of its peer. */
export class ConnectionDroppedError extends Error {
  readonly code = 'connection-dropped';
}

interface Connection {
  readonly address: string;
  readonly socket: Socket;
  /** None within a TLS handshake. */
  association?: Association;
}

/**
 * The connections of all ports, in the order in which they came. Those without an association are worth least: where
 * there are too many, one of them goes, so that a crowd of silent peers does not keep a scanner out.
 */
export class Connections {
  readonly #maximum: number;
  readonly #onDropped: () => void;
  readonly #open = new Map<string, Connection>();

  constructor(maximum: number, onDropped: () => void) {
    this.#maximum = maximum;
    this.#onDropped = onDropped;
  }

  /** Takes a new connection, or destroys it where there is no room. */
  admit(socket: Socket): boolean {
    socket.on('error', () => {});
    const { remoteAddress: address } = socket;
    // Reset before we looked: nothing would read from it, and so nothing would ever see it close.
    if (address === undefined) {
      socket.destroy(new ConnectionDroppedError());
      return false;
    }
    if (this.#open.size >= this.#maximum) {
      this.#onDropped();
      const leastWorth = this.#leastWorth();
      if (leastWorth === undefined) {
        socket.destroy(new ConnectionDroppedError());
        return false;
      }
      this.#drop(...leastWorth);
    }
    const key = keyOf(socket);
    const connection = { address, socket };
    this.#open.set(key, connection);
    socket.on('close', () => {
      if (this.#open.get(key) === connection) this.#open.delete(key);
    });
    return true;
  }

  /** `socket` is the one that was admitted, or TLS on it. */
  began(socket: Socket, association: Association): void {
    const connection = this.#open.get(keyOf(socket));
    if (connection !== undefined) connection.association = association;
  }

  get handlers(): Association[] {
    return [...this.#open.values()].flatMap(({ association }) => association ?? []);
  }

  /** Associations that were accepted and have not ended, of all peers or of those at one address. */
  associations(address?: string): number {
    return [...this.#open.values()].filter(
      (one) => one.association?.isAssociated && (address ?? one.address) === one.address,
    ).length;
  }

  /** Ends those that are within a TLS handshake. */
  dropHandshakes(): void {
    for (const [key, connection] of this.#open) {
      if (connection.association === undefined) this.#drop(key, connection);
    }
  }

  #drop(key: string, { socket, association }: Connection): void {
    this.#open.delete(key);
    if (association !== undefined) association.destroy();
    else socket.destroy(new ConnectionDroppedError());
  }

  /** The oldest without an association, of the address that has most of them. */
  #leastWorth(): [string, Connection] | undefined {
    const waiting = [...this.#open].filter(([, { association }]) => !association?.isAssociated);
    const counts = new Map<string, number>();
    for (const [, { address }] of waiting) counts.set(address, (counts.get(address) ?? 0) + 1);
    const most = Math.max(...counts.values());
    return waiting.find(([, { address }]) => counts.get(address) === most);
  }
}

/** The same for a TCP connection and for TLS on it. */
function keyOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
