import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type ChannelCredentials,
  type Client,
  credentials,
  makeGenericClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { service as healthService } from 'grpc-health-check';
import { KeyServiceClient } from '#proto/gen/skein/v1/keys.ts';
import { until } from '../../../test/support/until.ts';
import type { Controller } from '../main.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { Harness } from '../testing/harness.ts';

let harness: Harness;
let controller: Controller;
before(async () => {
  harness = await Harness.start();
  controller = await harness.controller();
});
after(() => harness[Symbol.asyncDispose]());

test('reflection lists the services, to anyone', async () => {
  const path = 'node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto';
  const definition = loadSync(path)['grpc.reflection.v1.ServerReflection'];
  assert.ok(definition && !('format' in definition));
  const client = new (makeGenericClientConstructor(definition, 'reflection'))(
    controller.address,
    credentials.createInsecure(),
  );
  const method = definition.ServerReflectionInfo;
  assert.ok(method);
  const call = client.makeBidiStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
  );
  call.write({ listServices: '' });
  const [{ listServicesResponse }] = await new Promise<
    [{ listServicesResponse: { service: { name: string }[] } }]
  >((resolve, reject) => {
    call.once('data', (message) => resolve([message]));
    call.once('error', reject);
  });
  call.end();
  client.close();
  const names = listServicesResponse.service.map(({ name }) => name);
  for (const name of ['KeyService', 'FleetService', 'AuditService']) {
    assert.ok(names.includes(`skein.v1.${name}`), names.join());
  }
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
  const services = ['', 'skein.v1.KeyService', 'skein.v1.FleetService', 'skein.v1.AuditService'];
  for (const service of services) assert.equal(await status(service), 'SERVING');
  await harness.nats.kill();
  await until('away', async () => (await status('')) === 'NOT_SERVING');
  await harness.nats.restart();
  await until('back', async () => (await status('')) === 'SERVING', 30_000);
  health.close();
});

test('over TLS, and to clients with a certificate of the configured authority only', async () => {
  const path = (name: string) => join(harness.directory, name);
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'],
    ...['-keyout', path('key.pem'), '-out', path('cert.pem')],
  ]);
  assert.equal(made.status, 0, String(made.stderr));
  const [cert, key] = [readFileSync(path('cert.pem')), readFileSync(path('key.pem'))];
  const tls = (more: string) => ({ tls: `{ certFile: cert.pem, keyFile: key.pem${more} }` });
  const open = await harness.controller(tls(''));
  const mutual = await harness.controller(tls(', clientCaFile: cert.pem'));
  const answers = (to: Controller, channel: ChannelCredentials) => {
    const port = to.address.split(':').at(-1);
    const client = new KeyServiceClient(`localhost:${port}`, channel);
    const { metadata } = harness.client(to);
    return new Promise<boolean>((resolve) => {
      client.list({ includeDeleted: false }, metadata, (error) => {
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
