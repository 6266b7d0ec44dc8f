import { failure, type Outcome, success } from "../outcome.ts";

/** What a URL says about TLS, in redis-py's words. Paths are as written. Members that are not set are absent. */
export interface TlsWish {
  /** `optional` means `required` for a client, because a server always has a certificate to show. */
  readonly reqs: "none" | "optional" | "required";
  readonly caCerts?: string;
  readonly caPath?: string;
  /** In PEM format. */
  readonly caData?: string;
  readonly certfile?: string;
  readonly keyfile?: string;
  readonly keyPassword?: string;
  /** redis-py checks it by default since 6.0, if it checks the certificate at all. */
  readonly checkHostname?: boolean;
  /** In the form that OpenSSL uses. */
  readonly ciphers?: string;
}

/** The meaning of `rediss://` alone in kombu. */
export const UNVERIFIED: TlsWish = { reqs: "none" };

/** The spellings that kombu/utils/url.py `parse_ssl_cert_reqs` knows. Case matters. */
const CERT_REQS: ReadonlyMap<string, TlsWish["reqs"]> = new Map([
  ["none", "none"],
  ["optional", "optional"],
  ["required", "required"],
  ["CERT_NONE", "none"],
  ["CERT_OPTIONAL", "optional"],
  ["CERT_REQUIRED", "required"],
]);

const TEXTS: ReadonlyMap<
  string,
  "caCerts" | "caPath" | "caData" | "certfile" | "keyfile" | "keyPassword" | "ciphers"
> = new Map([
  ["ssl_ca_certs", "caCerts"],
  ["ssl_ca_path", "caPath"],
  ["ssl_ca_data", "caData"],
  ["ssl_certfile", "certfile"],
  ["ssl_keyfile", "keyfile"],
  ["ssl_password", "keyPassword"],
  ["ssl_ciphers", "ciphers"],
]);

/**
 * Keywords that redis-py accepts as text and that the probe ignores. `ssl_min_version` and `ssl_…_verify_flags` are not
 * among them: as text they end every connection with a TypeError.
 */
const WITHOUT_EFFECT = new Set([
  "ssl_validate_ocsp",
  "ssl_validate_ocsp_stapled",
  "ssl_ocsp_context",
  "ssl_ocsp_expected_cert",
]);

/**
 * Reads the `ssl_…` keys of a query, which kombu gives to redis-py. redis-py's SSLConnection refuses unknown keys, and
 * checks certificates by default. null: there are no such keys.
 */
export function readTls(query: ReadonlyMap<string, string>): Outcome<TlsWish | null, string> {
  let wish: TlsWish | null = null;
  for (const [key, value] of query) {
    if (!key.startsWith("ssl_")) continue;
    const said: TlsWish = wish ?? { reqs: "required" };
    const name = TEXTS.get(key);
    if (name !== undefined) wish = { ...said, [name]: value };
    else if (key === "ssl_check_hostname") wish = { ...said, checkHostname: value.toLowerCase() !== "false" };
    else if (WITHOUT_EFFECT.has(key)) wish = said;
    else if (key === "ssl_cert_reqs") {
      const reqs = CERT_REQS.get(value);
      if (reqs === undefined) {
        return failure("has an ssl_cert_reqs that kombu does not know: expected none, optional or required");
      }
      wish = { ...said, reqs };
    } else {
      return failure(
        `has an ssl_… parameter that redis-py refuses or cannot use as text: expected ssl_cert_reqs, ssl_check_hostname, ${[...TEXTS.keys()].join(", ")}`,
      );
    }
  }
  return success(wish);
}
