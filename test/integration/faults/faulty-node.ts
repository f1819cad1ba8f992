import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HealthAnswer } from '../../../src/admin/health.js';
import type { SimulatedPacs } from '../../../src/simulate/pacs.js';
import { type Acknowledgement, scan } from '../../../src/simulate/scanner.js';
import { CATALOG_FILE, type Catalog, openCatalog } from '../../../src/store/database.js';
import { StatusStore, type StudyDetail } from '../../../src/store/status-store.js';
import { NodeProcess } from '../node/node-process.js';
import { allTo, startPacs, temporaryFolder } from '../node/node-rig.js';
import { FailingDisk } from './failing-disk.js';

/** The image with other UIDs of the same length, in all that names it. */
export function underRoot(root: string, part10: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(part10).toString('latin1').replaceAll('2.25.', root), 'latin1');
}

/** The real node on a disk that can be made to fail, with a PACS that it sends everything to. */
export class FaultyNode implements AsyncDisposable {
  readonly disk: FailingDisk;
  readonly pacs: SimulatedPacs;
  readonly config: string;
  /** The storage folder. */
  readonly data: string;
  readonly #folder: AsyncDisposable;
  readonly #node: NodeProcess;
  /** The test's own eyes: its reads do not fail. */
  readonly #catalog: Catalog;

  private constructor(
    parts: { folder: { path: string } & AsyncDisposable; pacs: SimulatedPacs; config: string },
    disk: FailingDisk,
    node: NodeProcess,
  ) {
    this.disk = disk;
    this.pacs = parts.pacs;
    this.config = parts.config;
    this.data = join(parts.folder.path, 'data');
    this.#folder = parts.folder;
    this.#node = node;
    this.#catalog = openCatalog(join(this.data, CATALOG_FILE));
  }

  /** `more` are YAML sections of the configuration. */
  static async start(more = ''): Promise<FaultyNode> {
    const folder = await temporaryFolder();
    const pacs = await startPacs(folder.path);
    const config = join(folder.path, 'vigil.yaml');
    await writeFile(
      config,
      `node: { host: 127.0.0.1, port: 0 }
storage: { folder: ./data, minFreeMb: 1 }
admin: { port: 0 }
log: { level: info }
${more}
${allTo(pacs)}`,
    );
    const disk = new FailingDisk(folder.path);
    const node = NodeProcess.spawn(config, { env: disk.env });
    await node.ready();
    return new FaultyNode({ folder, pacs, config }, disk, node);
  }

  get port(): number {
    return this.#node.port;
  }

  /** The end of the node's log. */
  get lastLines(): string {
    return this.#node.lastLines;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  send(images: readonly Uint8Array[]): Promise<readonly Acknowledgement[]> {
    const to = { host: '127.0.0.1', port: this.port, calledAeTitle: 'VIGIL', associations: 1 };
    return scan(to, images);
  }

  async health(): Promise<HealthAnswer['checks']> {
    const answer = await fetch(`http://127.0.0.1:${this.#node.adminPort}/healthz`);
    return ((await answer.json()) as HealthAnswer).checks;
  }

  study(studyInstanceUid: string): StudyDetail | undefined {
    return new StatusStore(this.#catalog).study(studyInstanceUid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#catalog.close();
    await this.#node[Symbol.asyncDispose]();
    await this.pacs[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}
