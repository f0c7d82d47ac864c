import { SkeinError } from '#common/errors.ts';
import { answerJobs } from '../job-worker.ts';

answerJobs((job) => {
  switch (job) {
    case 'refuse':
      throw new SkeinError('SKEIN_VERIFIER_REJECTED', 'no', { detail: '0: r0\n', remedy: 'Try.' });
    case 'fail':
      throw new Error('oh');
    case 'end':
      process.exit();
  }
  return Uint8Array.of(1, 2);
});
