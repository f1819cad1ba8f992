import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type SecureContextOptions } from 'node:tls';
import { LocalServer } from '../../fixtures/local-server.js';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Header and text, as they were sent. */
  readonly text: string;
}

export interface SmtpOptions {
  /** What is answered to a command instead of the usual, by its first word; `.` is the end of the mail. */
  readonly answers?: (verb: string, line: string) => string | undefined;
  /** Speaks TLS from the first byte. */
  readonly tls?: SecureContextOptions;
  readonly port?: number;
}

/** A mail server (RFC 5321) that takes what it is given, without extensions. */
export class SmtpServer implements AsyncDisposable {
  readonly mails: ReceivedMail[] = [];
  readonly #server: LocalServer;

  private constructor({ tls, answers = () => undefined }: SmtpOptions) {
    const talk = (socket: Socket) => this.#talk(socket, answers);
    this.#server = new LocalServer(
      tls === undefined ? createServer(talk) : createTlsServer(tls, talk),
    );
  }

  static async start(options: SmtpOptions = {}): Promise<SmtpServer> {
    const server = new SmtpServer(options);
    await server.#server.listen(options.port);
    return server;
  }

  get port(): number {
    return this.#server.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  #talk(socket: Socket, answers: NonNullable<SmtpOptions['answers']>): void {
    let mail = { from: '', to: [] as string[] };
    let data: string[] | undefined;
    let rest = '';
    const say = (verb: string, line: string, usual: string) => {
      socket.write(`${answers(verb, line) ?? usual}\r\n`);
    };
    socket.write('220 mail.test ready\r\n');
    socket.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (data !== undefined) {
          if (line !== '.') data.push(line);
          else {
            const answer = answers('.', line) ?? '250 queued';
            if (answer.startsWith('250')) this.mails.push({ ...mail, text: data.join('\n') });
            data = undefined;
            socket.write(`${answer}\r\n`);
          }
          continue;
        }
        const verb = line.split(/[ :]/)[0]?.toUpperCase() ?? '';
        const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
        if (verb === 'MAIL') mail = { from: address, to: [] };
        if (verb === 'RCPT' && answers(verb, line) === undefined) mail.to.push(address);
        if (verb === 'DATA' && answers(verb, line) === undefined) data = [];
        say(verb, line, verb === 'DATA' ? '354 go on' : verb === 'QUIT' ? '221 bye' : '250 ok');
      }
    });
  }
}
