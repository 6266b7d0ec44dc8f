import { DEFAULT_BROKER_URL, redact } from "../broker/url.ts";
import { onOffSwitch, optional, type OptionTable, valued } from "./option.ts";
import {
  brokerUrl,
  duration,
  exchangeName,
  fanoutPrefix,
  filePath,
  keyPrefix,
  oneOf,
  secretText,
  settingText,
  variableName,
} from "./values.ts";

/**
 * The broker that a worker consumes from. It comes before everything else that names a broker (celery/app/utils.py
 * `broker_read_url`).
 */
export const READ_VARIABLE = "CELERY_BROKER_READ_URL";

/** The broker to which a worker sends replies and events. */
export const WRITE_VARIABLE = "CELERY_BROKER_WRITE_URL";

/**
 * The variables that name the broker for a worker of Celery 5, in its order (celery/bin/celery.py: `-b` reads
 * BROKER_URL; celery/app/base.py).
 */
export const BROKER_VARIABLES = ["BROKER_URL", "CELERY_BROKER", "CELERY_BROKER_URL"] as const;

/** On many platforms this variable has the URL of the only Redis. */
export const PLATFORM_VARIABLE = "REDIS_URL";

/** The options that say where the workers are. Every command that talks to a broker takes all of them. */
export const BROKER = {
  broker: {
    ...optional("URL", brokerUrl, {
      group: "broker",
      summary: "broker URL, as Celery's broker_url: redis://[user:password@]host[:port][/database]",
      details:
        "Also rediss:// (TLS), redis+socket:///path?virtual_host=N, sentinel://a;sentinel://b/N, and redis://a;redis://b. " +
        "Of the last, the server counts that the worker is connected to. All are read as kombu reads them. " +
        "Without --broker the probe takes the first of these. 1. The variable named by --broker-env. " +
        `2. What the worker in sight uses: ${READ_VARIABLE} in its environment, its -b, or the first variable set there of ` +
        `${BROKER_VARIABLES.join(", ")}. 3. The same variables in the probe's own environment. ` +
        "4. The server where the worker in sight fetches and listens. " +
        `5. ${PLATFORM_VARIABLE}. 6. ${DEFAULT_BROKER_URL}.`,
    }),
    show: redact,
  },
  "broker-env": optional("NAME", variableName, {
    group: "broker",
    summary: "environment variable that holds the broker URL",
    details:
      "For applications that keep the URL under a name of their own. It must be set for the probe or for the worker.",
  }),
  "broker-write-url": {
    ...optional("URL", brokerUrl, {
      group: "broker",
      summary: "broker that the workers reply to, as Celery's broker_write_url",
      otherwise: "the same broker",
      details:
        `Without it and without --broker: ${WRITE_VARIABLE} in the worker's environment or in the probe's own. ` +
        `Where ${READ_VARIABLE} names the broker, workers reply to the broker they would use without that variable.`,
    }),
    show: redact,
  },
  "control-exchange": optional("NAME", exchangeName, {
    group: "broker",
    summary: "the workers' control_exchange",
    otherwise: "celery",
  }),
  "fanout-prefix": optional("TEXT", fanoutPrefix, {
    group: "broker",
    summary: "fanout_prefix in broker_transport_options; false for none",
    otherwise: "/{db}.",
    details: "`{db}` stands for the number of the database.",
  }),
  "global-keyprefix": optional("TEXT", keyPrefix, {
    group: "broker",
    summary: "global_keyprefix in broker_transport_options",
    otherwise: "none",
    details: "It stands in front of every key and channel.",
  }),
  "connect-timeout": valued(
    "DURATION",
    duration,
    { value: 1_000, text: "1s" },
    {
      group: "broker",
      summary: "longest wait for the broker to connect, and to answer",
    },
  ),
  tls: onOffSwitch({
    group: "tls",
    summary: "speak TLS, for workers with broker_use_ssl, which no URL shows",
    details:
      "Like rediss://, it verifies no certificate unless an --ssl- option says so. Each --ssl- option switches TLS on.",
  }),
  "ssl-cert-reqs": optional("WORD", oneOf("none", "optional", "required"), {
    group: "tls",
    summary: "required: verify the server's certificate; none: verify nothing",
    otherwise: "required with another --ssl- option, else none",
    details:
      "The --ssl- options take precedence over the URL's parameters of the same names. optional means required.",
  }),
  "ssl-ca-certs": optional("PATH", filePath, {
    group: "tls",
    summary: "file with the certificates of trusted authorities",
    otherwise: "the authorities of this machine",
  }),
  "ssl-certfile": optional("PATH", filePath, {
    group: "tls",
    summary: "client certificate, for servers that want one; may hold the key too",
  }),
  "ssl-keyfile": optional("PATH", filePath, {
    group: "tls",
    summary: "key of the client certificate",
  }),
  "ssl-check-hostname": optional("BOOL", oneOf("true", "false"), {
    group: "tls",
    summary: "whether the certificate must be for the broker's host",
    otherwise: "false with --ssl-ca-certs, else true",
    details:
      "redis-py checks the host from 6.0 on, and did not before. With --ssl-ca-certs, a certificate of those authorities " +
      "is accepted for any host unless this is true. With this machine's authorities the host must match.",
  }),
  "master-name": optional("NAME", settingText, {
    group: "sentinel",
    summary: "master_name in broker_transport_options",
    otherwise: "the only one that the Sentinels know",
  }),
  "sentinel-username": optional("NAME", settingText, {
    group: "sentinel",
    summary: "user for the Sentinels: username in sentinel_kwargs",
  }),
  "sentinel-password": {
    ...optional("TEXT", secretText, {
      group: "sentinel",
      summary: "password for the Sentinels: password in sentinel_kwargs",
      details:
        "The password in the URL is the master's. Other users can see a command line: use the variable instead.",
    }),
    show: () => "***",
  },
  "sentinel-tls": onOffSwitch({
    group: "sentinel",
    summary: "speak TLS with the Sentinels too: ssl in sentinel_kwargs",
    details: "It uses the same certificates as for the master.",
  }),
} as const satisfies OptionTable;
