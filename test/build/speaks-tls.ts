// Bundled as the product is: asks a server by its name and over TLS. Words: the port, the server's certificate.
import { readFileSync } from "node:fs";
import { Redis } from "ioredis";

const [, , port = "", certificate = ""] = process.argv;
const redis = new Redis({
  host: "localhost",
  port: Number(port),
  tls: { ca: readFileSync(certificate) },
  protocol: 2,
  enableReadyCheck: false,
  disableClientInfo: true,
  retryStrategy: () => null,
});
void redis.call("PING").then((answer) => {
  console.log(answer);
  redis.disconnect();
});
