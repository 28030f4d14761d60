// BullMQ on Node, under the contract of contract.py; its packages are those of the working directory.
//
// Settings: `concurrency: 200` for throughput, its fastest in trials; 10 for latency. Everything else as it comes:
// completed jobs are kept, as they are by the Python peers. Each stage adds the next job, which is a little quicker than
// a flow of three; the fan-out is a flow that waits for ten.
import { createRequire } from 'node:module';

const require = createRequire(`${process.cwd()}/`);
const { FlowProducer, Queue, Worker } = require('bullmq');
const Redis = require('ioredis');

const PARTS = {
  create: { setting: 'Queue.add', size: 12000 },
  bulk: { setting: 'Queue.addBulk of 500', size: 40000 },
  drain: { setting: 'concurrency 200', size: 40000, concurrency: 200 },
  latency: { setting: 'concurrency 10', size: 300, concurrency: 10 },
  'three-queues': { setting: 'concurrency 200, stages add the next', size: 6000, concurrency: 200 },
  'fan-out': { setting: 'concurrency 200, FlowProducer', size: 1500, concurrency: 200 },
  payload: { setting: 'concurrency 200', size: 20000, concurrency: 200 },
};
const FIRST = { 'three-queues': 'stage_1', 'fan-out': 'parent' };
const FAN = 10;
const WARM_UP = 10;
const IDLE_MS = 10;
const DONE = 'compare-done';
const LATENCY = 'compare-latency';

const url = new URL(process.env.COMPARE_URL || 'redis://127.0.0.1:6379/0');
const connection = {
  host: url.hostname,
  port: Number(url.port || 6379),
  db: Number(url.pathname.slice(1) || 0),
  ...(url.username && { username: decodeURIComponent(url.username) }),
  ...(url.password && { password: decodeURIComponent(url.password) }),
  maxRetriesPerRequest: null,
};
const seconds = () => Number(process.hrtime.bigint()) / 1e9;
const cpu = () => {
  const used = process.cpuUsage();
  return (used.user + used.system) / 1e6;
};
const payload = (number, size = 0) => ({
  user_id: number,
  guild_id: 4242,
  role_ids: [11, 22, 33, 44, 55],
  reason: 'x'.repeat(size) || 'benchmark',
});
const node = (name, data, children) => ({ name, queueName: 'bench', data, ...(children && { children }) });

async function bulk(queue, name, params) {
  for (let i = 0; i < params.length; i += 500) {
    await queue.addBulk(params.slice(i, i + 500).map((data) => ({ name, data })));
  }
}

async function timed(count, create) {
  const queue = new Queue('bench', { connection });
  await queue.add('noop', payload(0));
  const params = Array.from({ length: count }, (_, number) => payload(number));
  const started = seconds();
  await create(queue, params);
  return { seconds: seconds() - started };
}

async function oneByOne(queue, params) {
  for (const data of params) await queue.add('noop', data);
}

async function load(workload, count, size) {
  const queue = new Queue('bench', { connection });
  const piece = size > 1024 ? 50 : 500;
  for (let from = 0; from < count; from += piece) {
    const length = Math.min(piece, count - from);
    const params = Array.from({ length }, (_, i) => payload(from + i, size));
    await bulk(queue, FIRST[workload] ?? 'noop', params);
  }
  return {};
}

async function work(workload, target) {
  const client = new Redis(connection);
  const queue = new Queue('bench', { connection });
  const flows = new FlowProducer({ connection });
  let first = null;
  let cpuBefore = 0;
  let ended = 0;
  const start = () => {
    if (first === null) {
      cpuBefore = cpu();
      first = seconds();
    }
  };
  const tick = () => {
    start();
    ended += 1;
    if (ended === target) {
      client.rpush(DONE, JSON.stringify({ seconds: seconds() - first, cpu_seconds: cpu() - cpuBefore }));
    }
  };
  const process_ = async (job) => {
    if (job.name === 'noop') tick();
    else if (job.name === 'stage_1') {
      start();
      await queue.add('stage_2', job.data);
    } else if (job.name === 'stage_2') await queue.add('noop', job.data);
    else if (job.name === 'tell') await client.lpush(LATENCY, process.hrtime.bigint().toString());
    else if (job.name === 'parent') {
      start();
      const children = Array.from({ length: FAN }, () => node('child', job.data));
      await flows.add(node('noop', job.data, children));
    }
  };
  const worker = new Worker('bench', process_, { connection, concurrency: PARTS[workload].concurrency });
  worker.on('error', (error) => console.error(error));
  await new Promise(() => {});
}

async function latency(count) {
  const client = new Redis(connection);
  const queue = new Queue('bench', { connection });
  const spans = [];
  for (let number = 0; number < WARM_UP + count; number += 1) {
    const started = process.hrtime.bigint();
    await queue.add('tell', payload(number));
    const told = await client.blpop(LATENCY, 30);
    if (!told) throw new Error('no worker began a job within 30 s');
    spans.push(Number(BigInt(told[1]) - started) / 1e6);
    await new Promise((resolve) => { setTimeout(resolve, IDLE_MS); });
  }
  return { spans: spans.slice(WARM_UP) };
}

const versionOf = (name) => require(`${name}/package.json`).version;
const about = () => ({
  peer: 'bullmq-node',
  versions: { bullmq: versionOf('bullmq'), ioredis: versionOf('ioredis'), node: process.version.slice(1) },
  parts: PARTS,
});

const [command, ...rest] = process.argv.slice(2);
const bytes = rest.includes('--bytes') ? Number(rest[rest.indexOf('--bytes') + 1]) : 0;
const answer = await {
  about: async () => about(),
  create: () => timed(Number(rest[0]), oneByOne),
  bulk: () => timed(Number(rest[0]), (queue, params) => bulk(queue, 'noop', params)),
  load: () => load(rest[0], Number(rest[1]), bytes),
  work: () => work(rest[0], Number(rest[1])),
  latency: () => latency(Number(rest[0])),
}[command]();
console.log(JSON.stringify(answer));
process.exit(0);
