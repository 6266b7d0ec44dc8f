/**
 * A file of its own, because TLS is loaded only when it is used. `import()` of Node's own modules fails in the
 * executable.
 */
export { createServer as createTlsServer } from "node:https";
