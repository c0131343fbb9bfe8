// Connects to a daemon over TLS, by the protos themselves: nothing is generated.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../../proto', import.meta.url));

// Which calls are safe to make again: BeginLogin changes nothing, and VerifyCode has its request_id.
// AnswerLogin is not among them: the daemon would take the second answer for a wrong one.
const RETRIES = {
  methodConfig: [{
    name: [
      { service: 'nightlatch.v1.LoginService', method: 'BeginLogin' },
      { service: 'nightlatch.v1.VerificationService', method: 'VerifyCode' },
    ],
    retryPolicy: {
      maxAttempts: 5,
      initialBackoff: '0.2s',
      maxBackoff: '2s',
      backoffMultiplier: 2,
      retryableStatusCodes: ['UNAVAILABLE'],
    },
  }],
};

/** A client of one service: connect('VerificationService', 'verification'). */
export function connect(service, file) {
  const [target, cert, key, ca] = ['TARGET', 'CERT', 'KEY', 'CA'].map((name) => setting(`NIGHTLATCH_${name}`));
  const definition = protoLoader.loadSync(`nightlatch/v1/${file}.proto`, {
    includeDirs: [PROTOS], keepCase: true, enums: String, defaults: true, oneofs: true,
  });
  const credentials = grpc.credentials.createSsl(readFileSync(ca), readFileSync(key), readFileSync(cert));
  const Service = grpc.loadPackageDefinition(definition).nightlatch.v1[service];
  return new Service(target, credentials, { 'grpc.service_config': JSON.stringify(RETRIES) });
}

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: see README.md.`);
  return value;
}

/** One call: its answer, or an error with gRPC's code. */
export function call(client, method, request, seconds = 10) {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + seconds * 1000;
    client[method](request, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

/** Reads what a person types, line by line; unseen where `echo` is false and this is a terminal. */
export class Keyboard {
  constructor() {
    this.hidden = false;
    this.input = createInterface({ input: stdin, terminal: stdin.isTTY === true, output: stdout });
    const write = this.input._writeToOutput?.bind(this.input);
    this.input._writeToOutput = (text) => { if (!this.hidden) write(text); };
    this.lines = this.input[Symbol.asyncIterator]();
  }

  async ask(text, echo) {
    stdout.write(text);
    this.hidden = !echo;
    const { value, done } = await this.lines.next();
    if (this.hidden) stdout.write('\n');
    this.hidden = false;
    if (done) throw new Error('Nobody is typing any more.');
    return value;
  }

  close() {
    this.input.close();
  }
}

/** Ends the program: 0 for a yes, 1 for a no, 3 for nobody who could decide. Nothing else is ever 0. */
export async function run(main) {
  try {
    process.exitCode = (await main()) === true ? 0 : 1;
  } catch (error) {
    const status = grpc.status[error.code]; // other errors may have a code too, such as "ENOENT"
    console.error(status === undefined ? error.message : `${status}: ${error.details}`);
    process.exitCode = 3;
  }
}
