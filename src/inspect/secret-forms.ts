import { replaceEach } from "./long-text.ts";
import { MASK } from "./mask.ts";

/** Tokens whose form shows that they are secrets, as their makers document them. Their names do not matter. */
const TOKENS = [
  // Stripe
  "whsec_[\\w+/=]{16,}",
  // Amazon
  "(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
  // GitLab
  "gl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-[\\w.-]{16,}",
  // Slack
  "xox[a-z](?:\\.xox[a-z])?-[\\w-]{10,}|xapp-[\\w-]{10,}",
  // Google
  "AIza[\\w-]{30,}|ya29\\.[\\w-]{16,}|GOCSPX-[\\w-]{16,}",
  // SendGrid, Mailgun, Mailchimp, Brevo
  "SG\\.[\\w-]{16,}\\.[\\w-]{16,}|key-[0-9a-f]{32}|[0-9a-f]{32}-us\\d{1,2}|xkeysib-[0-9a-f]{32,}-\\w+",
  // npm, PyPI, RubyGems, Docker Hub
  "npm_[A-Za-z0-9]{16,}|pypi-[\\w-]{16,}|rubygems_[0-9a-f]{32,}|dckr_[a-z]{3}_[\\w-]{16,}",
  // OpenAI, Anthropic, Hugging Face
  "sk-(?:proj|ant|svcacct|admin|or)-[\\w-]{16,}|sk-[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{16,}",
  // Twilio, DigitalOcean, Databricks, Shopify, Square, Atlassian
  "SK[0-9a-f]{32}|do[opr]_v1_[0-9a-f]{32,}|dapi[0-9a-f]{32}|shp[a-z]{2}_[0-9a-fA-F]{32}|sq0[a-z]{3}-[\\w-]{20,}|ATATT3[\\w=-]{16,}",
  // HashiCorp, Grafana, Sentry, New Relic, Postman, Doppler, PlanetScale, Supabase, Linear
  "hv[sbr]\\.[\\w-]{16,}|[A-Za-z0-9]{14}\\.atlasv1\\.[\\w-]{16,}|glsa_\\w{20,}|glc_[\\w+/=]{20,}|sntry[su]_[\\w+/=-]{16,}|NRAK-[A-Z0-9]{20,}",
  "PMAK-[0-9a-f-]{24,}|dp\\.[a-z]{2,5}\\.[A-Za-z0-9]{30,}|pscale_[a-z]+_[\\w.-]{20,}|sb[p]_[0-9a-f]{32,}|sb_secret_[\\w-]{16,}|lin_api_\\w{20,}",
  // age; Telegram and Discord bots; Fernet
  "AGE-SECRET-KEY-1[A-Z0-9]{20,}|(?:bot)?\\d{8,10}:[\\w-]{35}(?![\\w-])|[MNO][\\w-]{23,25}\\.[\\w-]{6}\\.[\\w-]{27,}|gAAAAA[\\w-]{30,}={0,2}",
].join("|");

/** Tokens of Stripe and GitHub. They count even after a letter. Stripe's pk_ tokens are public and left out. */
const WITHIN_WORD = /[rs]k_(?:live|test|prod)_[A-Za-z0-9]{8,}|gh[oprsu]_[A-Za-z0-9]{16,}|github_pat_\w{16,}/g;

const TOKEN = new RegExp(`(?<![A-Za-z0-9])(?:${TOKENS})`, "g");

/** Joined words. These may be JSON Web Tokens, signed, encrypted or neither, and texts that Django signed. */
const JOINED = /(?<![\w-])[\w-]+[.:][\w.:-]+/g;

/** `{"` in base64, the head of a token. After a letter it counts only if the next part begins in the same way. */
const HEAD = /(?<![A-Za-z0-9])eyJ[\w-]{5}|eyJ[\w-]{5,200}\.eyJ/;

/** Webhook addresses: everyone who knows one may write to it. */
const WEBHOOK =
  /(hooks\.slack\.com\/[a-z]+\/|discord(?:app)?\.com\/api\/(?:v\d{1,3}\/)?webhooks\/|webhook\.office\.com\/|outlook\.office(?:365)?\.com\/webhook\/|api\.telegram\.org\/(?:file\/)?bot|hooks\.zapier\.com\/hooks\/|open\.(?:feishu\.cn|larksuite\.com)\/open-apis\/bot\/v\d\/hook\/)[\w/@:-]+/gi;

/** A blank in a block's label. In a URL it is encoded. */
const SPACE = "(?: |\\+|%20)";
const LABEL = "(?:[A-Z0-9 +]|%20){3,60}";

/** The beginning of a private block of PEM, OpenPGP or SSH2, or of a PuTTY key file. */
const BLOCK = new RegExp(
  `PuTTY-User-Key-File-\\d:|-{4,5} ?BEGIN${SPACE}` +
    `(?!(?:[A-Z0-9 +]|%20){0,60}(?:CERTIFICATE|PUBLIC|PARAMETERS|CRL|SIGNATURE|MESSAGE))${LABEL}-{4,5}`,
  "gi",
);

const BLOCK_END = new RegExp(
  `-{4,5} ?END${SPACE}${LABEL}-{4,5}|Private-(?:MAC|Hash): ?[0-9a-f]{1,128}`,
  "gi",
);

/** Hides secrets that can be recognised by their form. */
export function withoutForms(text: string): string {
  const withoutTokens = withoutBlocks(text).replace(WITHIN_WORD, MASK).replace(TOKEN, MASK);
  return replaceEach(withoutTokens, JOINED, ([words]) => withoutSigned(words)).replace(WEBHOOK, `$1${MASK}`);
}

function withoutSigned(words: string): string {
  const at = words.search(HEAD);
  return at === -1 || !/[.:]/.test(words.slice(at)) ? words : words.slice(0, at) + MASK;
}

/** A block without an end may have been cut, so everything after its beginning is hidden. */
function withoutBlocks(text: string): string {
  const pieces: string[] = [];
  let written = 0;
  BLOCK.lastIndex = 0;
  for (let found = BLOCK.exec(text); found !== null; found = BLOCK.exec(text)) {
    BLOCK_END.lastIndex = BLOCK.lastIndex;
    const end = BLOCK_END.exec(text) === null ? text.length : BLOCK_END.lastIndex;
    pieces.push(text.slice(written, found.index), MASK);
    written = BLOCK.lastIndex = end;
  }
  return pieces.join("") + text.slice(written);
}

/** Hides the lines of a block that a list contains one by one. The list may contain further lists. */
export function maskedBlocks(list: readonly unknown[], state = { isInside: false }): readonly unknown[] {
  return list.map((one: unknown) => {
    if (Array.isArray(one)) return maskedBlocks(one, state);
    if (typeof one !== "string") return one;
    const [begin, end] = [one.search(BLOCK), one.search(BLOCK_END)];
    const isOf = state.isInside || begin !== -1;
    // A block that is complete in one text is masked elsewhere.
    if (!state.isInside && begin !== -1 && end > begin) return one;
    state.isInside = isOf && end === -1;
    return isOf ? MASK : one;
  });
}
