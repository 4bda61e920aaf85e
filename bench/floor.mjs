// The floors: the same point read as the server makes, with nothing around it.
import http from 'node:http';
import Hapi from '@hapi/hapi';
import { DatabaseSync } from '@photostructure/sqlite';

const database = new DatabaseSync(process.env.DATABASE);
const statement = database.prepare("select body from resource where type = (select id from term where text = 'ServiceRequest') and id = ?");
const id = process.env.ID;
if (process.env.HAPI) {
  const server = Hapi.server({ host: '127.0.0.1', port: 0 });
  server.route({
    method: 'GET',
    path: '/hapi',
    handler: (_request, h) => h.response(statement.get(id).body).type('application/fhir+json'),
  });
  await server.start();
  console.log(`listening http://127.0.0.1:${server.info.port}`);
} else {
  const server = http.createServer((_request, response) => {
    response.setHeader('content-type', 'application/fhir+json');
    response.end(statement.get(id).body);
  });
  server.listen(0, '127.0.0.1', () => console.log(`listening http://127.0.0.1:${server.address().port}`));
}
// the handler keeps the connection alive: the driver closes one that is collected
process.on('SIGTERM', () => {
  database.close();
  process.exit(0);
});
