/** Parts of names of settings, variables and connection parameters whose values are secrets. */
const SECRET = new RegExp(
  [
    "passw|pass(?:phrase|code|key)|(?<!com|by|sur|tres|under|over)pass(?![a-z])|pwd|(?<![a-z])pw(?![a-z])",
    "contrase|kennwort|(?<![a-z])(?:clave|mdp)(?![a-z])",
    "secret(?!ar)|token(?!i[sz])|credential|(?<![a-z])creds?(?![a-z])|session_?(?:id|key)(?![\\w-])",
    "(?:api|access|account|private|master)_?key",
    "encryption|signing|signature|salt(?!_?(?:master|minion|stack))|bearer|webhook|connection[_-]?string",
    "authorization|auth(?:string|entication)?(?![a-z])|(?<![a-z])(?:dsn|sig|sas|jwt|hmac)(?![a-z])",
    // In `SESSION_COOKIE_AGE` the word after `COOKIE` shows that the value is no secret.
    "cookies?(?![\\w-])",
  ].join("|"),
  "i",
);

/** Keys of routes, locks and tables are addresses, and some keys are public. */
const KEY =
  /(?<!routing|binding|lock|unacked|index|mutex|partition|primary|foreign|public|publishable|site|sort|cache)[_-]keys?(?![\w-])/i;

/** Endings of names whose values are numbers. `MAX_TOKENS` of a language model is one of them. */
const MEASURE = new RegExp(
  "(?:^|[_.-])(?:" +
    "version|age|ttl|lifetime|timeout|expir(?:y|es?|ation)|(?:milli)?seconds|minutes|hours|days|interval|delta|" +
    "leeway|retries|attempts|length|limit(?:_per_[a-z]{1,20})?|count|size|port|(?:max|min|num)_(?:[a-z]{1,20}_)?tokens" +
    ")$",
  "i",
);

/** Endings of names whose values are names, paths and addresses: `AUTH_USER_MODEL`, `PASSWORD_HASHERS`. */
const NAME = new RegExp(
  "(?:^|[_.-])(?:" +
    "models?|backends?|class(?:es)?|validators?|hashers?|providers?|methods?|algo(?:rithm)?s?|serializers?|middleware|" +
    "issuer|audience|types?|names?|domains?|samesite|httponly|secure|enabled|required|masked|file|origins?|" +
    // The value of `JWT_AUTH_COOKIE` is the name of a cookie that holds a token.
    "jwt_(?:[a-z]{1,20}_){0,2}cookie|search|dn|" +
    "hosts?|db|source|regions?|polic(?:y|ies)|scopes?|queues?|headers?|fields?|claims?|rule|template|view|" +
    // A webhook's address is a secret: everyone who knows it may write to it.
    "(?<!webhooks?_|secrets?_|signed_)(?:ur[il]s?|endpoints?)" +
    ")$",
  "i",
);

/** `TOKEN_BY_DOMAIN`: the value is the token, not the domain. */
const SORTED = /_(?:by|for|per)_[a-z]+$/i;

/** `30`, `1:00:00`, `1 day, 0:00:00`, `s3v4` */
const MEASURED = /^-?[a-z]{0,3}\d{1,12}(?:[.:a-z]\d{1,6}){0,4}(?: ?[a-z]{1,7}(?:, \d{1,2}:\d\d:\d\d)?)?$/i;

/**
 * Words, dotted names, paths, hosts and addresses. Words with digits between letters are left out, because secrets look
 * like that.
 */
const WORDS =
  /^(?:[a-z][a-z+]{0,20}:\/\/)?[*~_]?[./]{0,3}(?:[a-z]{1,32}|[a-z]{0,5}\d{1,5})(?:[-./:_]{1,2}(?:[a-z]{1,32}|[a-z]{0,5}\d{1,5}))*\/?$/i;

/** The text that Python writes for an object without its own text form. */
const OBJECT = /^<[\w.]{1,100} object at 0x[0-9a-f]{1,16}>$/;

/** A name in LDAP: `ou=users,dc=example,dc=org`. */
const DISTINGUISHED = /^(?:(?:cn|ou|dc|uid|o|c)=[\w .%()-]{1,64}(?:,|$)){1,16}$/i;

const LONGEST_TOLD = 200;

const SWITCH = /^(?:true|false|yes|no|on|off|none|null|\/)?$/i;

/** Splits camel case as other names are written: `licenseKey` becomes `license_Key`. */
function inWords(name: string): string {
  return name.replace(/(?<=[a-z\d])(?=[A-Z])/g, "_");
}

/** Whether the name contains a word that names a secret, whatever else it contains. */
function isOfSecret(name: string): boolean {
  return SECRET.test(name) || KEY.test(inWords(name));
}

/** The shell's working folder. `PWD` in a connection string is a password (`UID=sa;PWD=…`). */
const FOLDER = /^(?:OLD)?PWD$/;

/** Whether a name only describes a secret: its age, its kind, its place. */
export function isToldName(name: string): boolean {
  const words = inWords(name);
  if (FOLDER.test(name)) return true;
  return MEASURE.test(words) || (NAME.test(words) && !SORTED.test(words));
}

/** What a name says about its value. `told`: the value describes a secret and is not one. */
export type Secrecy = "none" | "secret" | "told";

export function secrecyOf(name: string): Secrecy {
  if (!isOfSecret(name)) return "none";
  return isToldName(name) ? "told" : "secret";
}

/** Whether the text is a secret, by its name. A name that says otherwise is trusted only if the text fits it. */
export function isSecretText(name: string, text: string): boolean {
  const secrecy = secrecyOf(name);
  return secrecy === "secret" || (secrecy === "told" && !canBeTold(name, text));
}

/** Whether the text fits a name that only describes a secret: `30` for an age, `accounts.User` for a model. */
function canBeTold(name: string, text: string): boolean {
  if (text.length > LONGEST_TOLD) return false;
  if (SWITCH.test(text) || /^\*+$/.test(text) || OBJECT.test(text) || DISTINGUISHED.test(text)) return true;
  if (FOLDER.test(name)) return text.startsWith("/");
  return (MEASURE.test(inWords(name)) ? MEASURED : WORDS).test(text);
}
