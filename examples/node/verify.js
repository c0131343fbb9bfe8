// Verifies one code: node verify.js USER. The code is asked for: what stands on a command line, others can read.
import { randomUUID } from 'node:crypto';
import { call, connect, Keyboard, run } from './nightlatch.js';

await run(async () => {
  const [user] = process.argv.slice(2);
  if (!user) throw new Error('Usage: node verify.js USER');
  const client = connect('VerificationService', 'verification');
  const keyboard = new Keyboard();
  try {
    const code = await keyboard.ask('Code: ', true);
    const answer = await call(client, 'VerifyCode', { user, code, request_id: randomUUID() });
    console.log(answer.verification);
    if (answer.verification === 'VERIFICATION_LOCKED') {
      console.log(`Try again in ${answer.retry_after_seconds} seconds.`);
    }
    return answer.verification === 'VERIFICATION_VERIFIED';
  } finally {
    keyboard.close();
    client.close();
  }
});
