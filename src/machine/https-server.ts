/** Apart, because TLS is loaded only where it is spoken: `import()` of Node's own modules fails in the executable. */
export { createServer as createTlsServer } from "node:https";
