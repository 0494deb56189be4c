// The least that a route costs: fastify answers every request with the same object. Argument: the JSON of the answer.
import fastify from 'fastify';

const answer = JSON.parse(process.argv[2]);
const app = fastify();
app.get('/api/v1/images/jobs/:job_id', async () => answer);
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
