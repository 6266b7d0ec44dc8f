/** What stands in names of settings, variables and connection parameters whose values are secrets. */
const SECRET = new RegExp(
  [
    "passw|pass(?:phrase|code|key)|(?<!com|by|sur|tres|under|over)pass(?![a-z])|pwd|(?<![a-z])pw(?![a-z])",
    "contrase|kennwort|(?<![a-z])(?:clave|mdp)(?![a-z])",
    "secret|token(?!i[sz])|credential|(?<![a-z])creds?(?![a-z])|session_?(?:id|key)(?![\\w-])",
    "(?:api|access|account|private|master)_?key",
    // Keys of routes, locks and tables are addresses, and some are there to be shown.
    "(?<!routing|binding|lock|unacked|index|mutex|partition|primary|public|publishable|site|sort|cache)[_-]key(?![\\w-])",
    "encryption|signing|signature|salt|bearer|webhook|connection[_-]?string",
    "authorization|auth(?:string|entication)?(?![a-z])|(?<![a-z])(?:dsn|sig|sas|jwt|hmac)(?![a-z])",
    // What is said of a cookie (`SESSION_COOKIE_AGE`) stands behind the word.
    "cookies?(?![\\w-])",
  ].join("|"),
  "i",
);

/** How names end that tell something of a secret, which is none: `AUTH_USER_MODEL`, `PASSWORD_HASHERS`. */
const TOLD_OF_IT = new RegExp(
  "(?:^|[_.-])(?:" +
    "models?|backends?|class(?:es)?|validators?|hashers?|providers?|methods?|algorithms?|serializers?|middleware|" +
    "issuer|audience|types?|names?|domains?|samesite|httponly|secure|enabled|required|masked|version|file|origins?|" +
    "age|ttl|lifetime|timeout|expir(?:y|es?|ation)|(?:milli)?seconds|minutes|hours|days|interval|" +
    "length|limit|count|size)$",
  "i",
);

/** Whether what is called so is a secret: a setting, a variable, an option. */
export function isSecretName(name: string): boolean {
  if (!SECRET.test(name) || TOLD_OF_IT.test(name)) return false;
  // A number of a language model's words.
  if (/tokens$/i.test(name) && /(?:^|[_-])(?:max|min|num)[_-]/i.test(name)) return false;
  // The shell's working folder.
  return !/^(?:OLD)?PWD$/.test(name);
}
