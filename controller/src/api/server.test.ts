import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import {
  type ChannelCredentials,
  type Client,
  credentials,
  makeGenericClientConstructor,
} from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { KeyServiceClient, ListKeysRequest } from '#proto/gen/skein/v1/keys.ts';
import { makeCertificate } from '../../../test/support/certificate.ts';
import { until } from '../../../test/support/until.ts';
import type { Controller } from '../main.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { Harness, TOKEN } from '../testing/harness.ts';

let harness: Harness;
let controller: Controller;
before(async () => {
  harness = await Harness.start();
  controller = await harness.controller();
});
after(() => harness[Symbol.asyncDispose]());

test('a client that knows no .proto file learns all from reflection', async () => {
  const curl = async (...args: string[]) => {
    const flags = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge'];
    return (await promisify(execFile)('node_modules/.bin/buf', [...flags, ...args])).stdout;
  };
  const url = `http://${controller.address}`;
  const methods = (await curl('--list-methods', url)).trim().split('\n');
  assert.deepEqual(
    [...new Set(methods.map((method) => method.split('/')[0]))],
    [
      'grpc.health.v1.Health',
      'skein.v1.AuditService',
      'skein.v1.ControlService',
      'skein.v1.FleetService',
      'skein.v1.KeyService',
      'skein.v1.RolloutService',
    ],
  );
  const authorization = `authorization: Bearer ${TOKEN}`;
  const request = JSON.stringify({
    name: 'by.curl',
    description: 'by reflection',
    validateOnly: true,
  });
  const created = await curl(
    '-H',
    authorization,
    '-d',
    request,
    `${url}/skein.v1.KeyService/Create`,
  );
  assert.equal(JSON.parse(created).desired.description, 'by reflection');
  const serving = await curl('-d', '{}', `${url}/grpc.health.v1.Health/Check`);
  assert.deepEqual(JSON.parse(serving), { status: 'SERVING' });
});

test('health follows the connection to NATS', async () => {
  const check = healthService.Check;
  assert.ok(check);
  const health: Client = new (makeGenericClientConstructor(healthService, 'health'))(
    controller.address,
    credentials.createInsecure(),
  );
  const status = (service: string) =>
    new Promise<unknown>((resolve, reject) => {
      health.makeUnaryRequest(
        check.path,
        check.requestSerialize,
        check.responseDeserialize,
        { service },
        (error, response) => {
          if (error || !response) reject(error);
          else resolve(Reflect.get(response, 'status'));
        },
      );
    });
  const names = ['Key', 'Fleet', 'Audit', 'Control', 'Rollout'];
  const services = ['', ...names.map((name) => `skein.v1.${name}Service`)];
  for (const service of services) assert.equal(await status(service), 'SERVING');
  await harness.nats.kill();
  await until('away', async () => (await status('')) === 'NOT_SERVING');
  await harness.nats.restart();
  await until('back', async () => (await status('')) === 'SERVING', 30_000);
  health.close();
});

test('over TLS, and to clients with a certificate of the configured authority only', async () => {
  const made = makeCertificate(harness.directory, 'server');
  const [cert, key] = [readFileSync(made.certificate), readFileSync(made.key)];
  const tls = (more: string) => ({
    tls: `{ certFile: server.pem, keyFile: server-key.pem${more} }`,
  });
  const open = await harness.controller(tls(''));
  const mutual = await harness.controller(tls(', clientCaFile: server.pem'));
  const answers = (to: Controller, channel: ChannelCredentials) => {
    const port = to.address.split(':').at(-1);
    const client = new KeyServiceClient(`localhost:${port}`, channel);
    const { metadata } = harness.client(to);
    return new Promise<boolean>((resolve) => {
      client.list(ListKeysRequest.create(), metadata, (error) => {
        client.close();
        resolve(error === null);
      });
    });
  };
  assert.equal(await answers(open, credentials.createSsl(cert)), true);
  assert.equal(await answers(open, credentials.createInsecure()), false);
  assert.equal(await answers(mutual, credentials.createSsl(cert, key, cert)), true);
  assert.equal(await answers(mutual, credentials.createSsl(cert)), false);
});

test('every metric is there, and promtool finds nothing to complain about', async () => {
  const client = harness.client(controller);
  await until('NATS is back', () => client.create('counted').catch(() => undefined));
  const host = new FakeHost(harness.nc, 'm1', {}, ['counted']);
  host.heartbeat();
  await until('reported', async () => (await client.hosts()).length === 1);
  const { desired } = await client.set('counted', true);
  host.ack('counted', desired?.generation ?? 0n, true);
  // The same again is no second flip.
  host.ack('counted', desired?.generation ?? 0n, true);
  host.ack('counted', desired?.generation ?? 0n, true, { outcome: 'failed' });
  await client.get('no.such').catch(() => {});
  const metrics = async () => {
    const response = await fetch(`${controller.metricsUrl}/metrics`);
    return response.text();
  };
  const text = await until('acks arrive', async () => {
    const now = await metrics();
    return now.includes('flips_total{result="failed"} 1\n') && now;
  });
  for (const line of [
    'skein_controller_flips_total{result="applied"} 1',
    'skein_controller_keys 1',
    'skein_controller_hosts{state="degraded"} 1',
    'skein_controller_hosts{state="lost"} 0',
    'skein_controller_nats_connected 1',
    'skein_controller_propagation_seconds_count 1',
    'skein_controller_grpc_requests_total{method="/skein.v1.KeyService/Get",code="NOT_FOUND"} 1',
    'skein_controller_grpc_duration_seconds_count{method="/skein.v1.KeyService/Set"} 1',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
  }
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.error?.message ?? checked.stderr);
  assert.equal(checked.stderr + checked.stdout, '');
});
