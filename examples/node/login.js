// A whole login: node login.js USER SERVICE. It knows no factor by name, and works with those to come.
import { setTimeout } from 'node:timers/promises';
import { call, connect, Keyboard, run } from './nightlatch.js';

await run(async () => {
  const [user, service] = process.argv.slice(2);
  if (!service) throw new Error('Usage: node login.js USER SERVICE');
  const client = connect('LoginService', 'login');
  const keyboard = new Keyboard();
  try {
    let { step } = await call(client, 'BeginLogin', { user, service, primary: 'PRIMARY_PASSWORD' });
    while (step.kind !== 'outcome') {
      let answer = '';
      if (step.kind === 'prompt') {
        answer = await keyboard.ask(step.prompt.text, step.prompt.echo);
      } else if (step.kind === 'wait') {
        console.log(step.wait.text);
        await setTimeout(step.wait.seconds * 1000);
      } else {
        throw new Error('The daemon gave a step that this program does not know.');
      }
      const request = { ticket: step.ticket, answer: Buffer.from(answer) };
      ({ step } = await call(client, 'AnswerLogin', request, 30));
    }
    const { verdict, message, user: name } = step.outcome;
    console.log(message ? `${verdict}: ${message}` : verdict);
    return verdict === 'VERDICT_GRANTED' && name === user;
  } finally {
    keyboard.close();
    client.close();
  }
});
