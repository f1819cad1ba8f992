import { describe, expect, it } from 'vitest';
import { AeTitleLabels } from '../../../src/admin/ae-title-labels.js';
import { Metrics } from '../../../src/admin/metrics.js';

const LEVELS = { queues: { analyses: 2, deliveries: 5 }, destinations: [], diskFreeBytes: 1e9 };

/** The samples whose name begins so, without comments. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(`vigil_${name}`));
}

describe('Metrics', () => {
  it('counts associations that are open and how they ended', async () => {
    const metrics = new Metrics(() => LEVELS);
    metrics.associationOpened();
    metrics.associationOpened();
    metrics.associationClosed('released');
    metrics.associationClosed('rejected');
    expect(await samples(metrics, 'associations')).toEqual([
      'vigil_associations_open 1',
      'vigil_associations_total{end="released"} 1',
      'vigil_associations_total{end="rejected"} 1',
    ]);
  });

  it('counts instances by sender, their bytes, refusals and times', async () => {
    const metrics = new Metrics(() => LEVELS);
    metrics.instanceReceived('CT 1', 526_000);
    metrics.instanceReceived('CT 1', 526_000);
    metrics.cStoreAnswered(0.003);
    metrics.cStoreAnswered(0.3);
    metrics.instanceRefused(0xa700);
    metrics.instanceRefused(0x0122);
    expect(await samples(metrics, 'instances')).toEqual([
      'vigil_instances_received_total{calling_ae_title="CT_1"} 2',
      'vigil_instances_refused_total{status="0xA700"} 1',
      'vigil_instances_refused_total{status="0x0122"} 1',
    ]);
    expect(await samples(metrics, 'received_bytes_total')).toEqual([
      'vigil_received_bytes_total 1052000',
    ]);
    expect(await samples(metrics, 'c_store_seconds_count')).toEqual([
      'vigil_c_store_seconds_count 2',
    ]);
  });

  it('counts what the stages did', async () => {
    const metrics = new Metrics(() => LEVELS);
    metrics.seriesCompleted('likely', 'released-contiguous');
    metrics.analysed('positive', 1.2);
    metrics.delivered('pacs', 'delivered');
    metrics.reportDelivered(4.5);
    metrics.model({ name: 'vigil-ich-small', version: '0.1.0', hash: 'ab' });
    metrics.configReloaded('refused');
    const text = await metrics.text();
    for (const line of [
      'vigil_series_completed_total{confidence="likely",reason="released-contiguous"} 1',
      'vigil_analyses_total{outcome="positive"} 1',
      'vigil_analysis_seconds_sum 1.2',
      'vigil_deliveries_total{destination="pacs",result="delivered"} 1',
      'vigil_last_instance_to_report_seconds_bucket{le="5"} 1',
      'vigil_model_info{name="vigil-ich-small",version="0.1.0",hash="ab"} 1',
      'vigil_config_reloads_total{result="refused"} 1',
    ]) {
      expect(text).toContain(line);
    }
  });

  it('asks for levels with each scrape, and forgets queues that are gone', async () => {
    let queues: Record<string, number> = { analyses: 2 };
    const metrics = new Metrics(() => ({ queues, destinations: [], diskFreeBytes: 7 }));
    expect(await samples(metrics, 'queue_depth')).toEqual([
      'vigil_queue_depth{queue="analyses"} 2',
    ]);
    queues = { deliveries: 1 };
    expect(await samples(metrics, 'queue_depth')).toEqual([
      'vigil_queue_depth{queue="deliveries"} 1',
    ]);
    expect(await samples(metrics, 'disk_free_bytes')).toEqual(['vigil_disk_free_bytes 7']);
  });

  it('shows what is open at each destination, and how old it is', async () => {
    const oldestAt = Date.now() - 60_000;
    const pacs = { destination: 'pacs', due: 2, stored: 1, dead: 3, oldestAt, failureCode: null };
    const metrics = new Metrics(() => ({ ...LEVELS, destinations: [pacs] }));
    expect(await samples(metrics, 'destination_deliveries')).toEqual([
      'vigil_destination_deliveries{destination="pacs",state="due"} 2',
      'vigil_destination_deliveries{destination="pacs",state="stored"} 1',
      'vigil_destination_deliveries{destination="pacs",state="dead"} 3',
    ]);
    const [oldest = ''] = await samples(metrics, 'destination_oldest_seconds');
    expect(Number(oldest.split(' ')[1])).toBeGreaterThanOrEqual(60);
  });

  it('gives the rest where the levels cannot be had', async () => {
    const metrics = new Metrics(() => Promise.reject(new Error('disk I/O error')));
    metrics.associationOpened();
    expect(await samples(metrics, 'associations_open')).toEqual(['vigil_associations_open 1']);
    expect(await samples(metrics, 'disk_free_bytes')).toEqual(['vigil_disk_free_bytes Nan']);
  });

  it('keeps to its own registry', async () => {
    const [first, second] = [new Metrics(() => LEVELS), new Metrics(() => LEVELS)];
    first.associationOpened();
    expect(await samples(second, 'associations_open')).toEqual(['vigil_associations_open 0']);
  });
});

describe('AeTitleLabels', () => {
  it.each([
    ['CT1', 'CT1'],
    [' CT1 ', 'CT1'],
    ['A"}\nB', 'A___B'],
    ['ÄE', '_E'],
  ])('%j is %j', (aeTitle, label) => {
    expect(new AeTitleLabels().label(aeTitle)).toBe(label);
  });

  it('puts the fifty-first and later senders together', () => {
    const labels = new AeTitleLabels();
    for (let i = 0; i < 50; i++) labels.label(`CT${i}`);
    expect(labels.label('CT50')).toBe('others');
    expect(labels.label('CT49')).toBe('CT49');
  });
});
