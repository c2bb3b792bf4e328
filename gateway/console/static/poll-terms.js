// The terms of a poll, and the ballot and receipt that follow from them, byte by byte (docs/voting-protocol.md).

import { Malformed, canonical, fields, fromBase64, joined, member, only, sha256, split, utf8 } from "./bytes.js";
import * as blindrsa from "./blindrsa.js";

const IDENTIFIER = /^[0-9a-z][0-9a-z._-]{0,63}$/;
const isText = (value) => typeof value === "string" && value.length >= 1 && [...value].length <= 10000;
const matches = (pattern) => (value) => typeof value === "string" && pattern.test(value);
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const exactly = (text) => (value) => value === text;
const BASES = ["all_members", "present", "valid"];
const oneOf = (...allowed) => (value) => allowed.includes(value);

// Of each kind: its rule's members, the words of its marks, the highest mark.
export const KINDS = {
  select: {
    words: ["chosen"],
    highest: () => 1,
    rule: {
      places: (value) => isCount(value) && value >= 1,
      majority_base: oneOf("none", ...BASES),
      majority: share,
      tie_at_last_place: oneOf("include_all", "run_off", "presidium"),
      over_full_ballot: exactly("invalid"),
      short_ballot: exactly("valid"),
      blank_ballot: exactly("abstention"),
    },
  },
  scores: {
    words: [],
    highest: (rule) => rule.score_highest - rule.score_lowest + 1,
    rule: {
      score_lowest: isCount,
      score_highest: isCount,
      score_average: oneOf("mean", "trimmed_mean"),
      scores_trimmed: isCount,
      blank_ballot: exactly("abstention"),
    },
  },
  grades: {
    words: ["satisfied", "basically_satisfied", "dissatisfied"],
    highest: () => 3,
    rule: { grade_base: oneOf(...BASES), satisfied: share, basically_satisfied: share, blank_ballot: exactly("abstention") },
  },
  motion: {
    words: ["for", "against", "abstain"],
    highest: () => 3,
    rule: { majority_base: oneOf("none", ...BASES), majority: share, blank_ballot: exactly("abstention") },
  },
};

function share(value) {
  if (value === null || typeof value !== "object") return false;
  only(value, ["fraction", "counts"], "a share");
  const [, above, below] = /^(0|[1-9][0-9]*)\/([1-9][0-9]*)$/.exec(value.fraction) ?? [];
  if (above === undefined || BigInt(above) > BigInt(below) || divisor(BigInt(above), BigInt(below)) !== 1n) return false;
  return ["at_least", "more_than"].includes(value.counts);
}

const divisor = (one, other) => (other ? divisor(other, one % other) : one);

export class Terms {
  // Raises Malformed. Keys are read too.
  static async read(value) {
    const names = ["district", "poll", "title", "electorate", "paper_key", "board_key", "questions"];
    const get = (name, good) => member(value, name, good, "terms");
    get("district", matches(/^[0-9]{6}$/));
    get("poll", matches(IDENTIFIER));
    get("title", isText);
    get("electorate", isCount);
    distinct(get("questions", Array.isArray), 100, "terms.questions").forEach(checkQuestion);
    only(value, names, "terms");
    const terms = new Terms();
    Object.assign(terms, value);
    terms.json = value;
    const boardKey = fromBase64(get("board_key", isText), "terms.board_key");
    if (boardKey.length !== 32) throw new Malformed("terms.board_key is not 32 bytes");
    try {
      terms.paperKey = await blindrsa.readKey(fromBase64(get("paper_key", isText), "terms.paper_key"));
      terms.boardKey = await crypto.subtle.importKey("raw", boardKey, "Ed25519", true, ["verify"]);
    } catch (fault) {
      throw new Malformed(`terms: a key that cannot be read (${fault.message})`);
    }
    terms.digest = await sha256(fields("quanyutong.terms.v1", utf8(canonical(value))));
    return terms;
  }
}

function checkQuestion(question, at) {
  const place = `terms.questions[${at}]`;
  const get = (name, good) => member(question, name, good, place);
  const kind = KINDS[get("kind", (name) => typeof name === "string" && Object.hasOwn(KINDS, name))];
  get("id", matches(IDENTIFIER));
  get("title", isText);
  get("rule_versions", (texts) => Array.isArray(texts) && texts.every(isText));
  for (const option of distinct(get("options", Array.isArray), 1000, `${place}.options`)) {
    member(option, "id", matches(IDENTIFIER), place);
    member(option, "title", isText, place);
    only(option, ["id", "title"], place);
  }
  const rule = get("rule", (given) => given !== null && typeof given === "object");
  for (const [name, good] of Object.entries(kind.rule)) member(rule, name, good, `${place}.rule`);
  only(rule, Object.keys(kind.rule), `${place}.rule`);
  only(question, ["id", "title", "kind", "options", "rule", "rule_versions"], place);
  if (question.kind === "select" && rule.places > question.options.length) throw new Malformed(`${place} has more places than options`);
  if (question.kind === "scores" && !(rule.score_lowest < rule.score_highest && rule.score_highest <= rule.score_lowest + 254)) {
    throw new Malformed(`${place}.rule has no range of scores`);
  }
}

function distinct(items, most, place) {
  const ids = new Set(items.map((item) => item?.id));
  if (items.length < 1 || items.length > most || ids.size < items.length) throw new Malformed(`${place}: from 1 to ${most}, each with an id of its own`);
  return items;
}

export const kindOf = (question) => KINDS[question.kind];

// What the poll's RSA key signs blindly, behind its random prefix.
export const prepared = (terms, publicKey, prefix) => joined(prefix, fields("quanyutong.paper.v1", terms.digest, publicKey));

// What the paper's key signs.
export const content = (terms, paper, marks) =>
  fields("quanyutong.ballot.v1", terms.district, terms.poll, terms.digest, paper.publicKey, paper.prefix, paper.signature, fields(...marks));

export const encoded = (signed, signature) => joined(signed, fields(signature));

// Raises Malformed.
export function decode(raw) {
  const parts = split(raw);
  if (parts.length !== 9 || new TextDecoder().decode(parts[0]) !== "quanyutong.ballot.v1") throw new Malformed("not the nine fields of a ballot");
  const [, district, poll, digest, publicKey, prefix, signatureOfPaper, marks, signature] = parts;
  if (digest.length !== 32 || publicKey.length !== 32 || prefix.length !== 32 || signature.length !== 64) throw new Malformed("a field of the wrong length");
  const text = (part) => {
    if (part.length > 64 || part.some((byte) => byte > 127)) throw new Malformed("a name that is none");
    return new TextDecoder().decode(part);
  };
  return {
    district: text(district),
    poll: text(poll),
    digest,
    paper: { publicKey, prefix, signature: signatureOfPaper },
    marks: split(marks),
    signature,
    content: raw.subarray(0, raw.length - 68),
  };
}

// Raises Malformed unless every option of every question has one mark that its kind knows.
export function checkMarks(terms, marks) {
  if (marks.length !== terms.questions.length) throw new Malformed("marks for more or fewer questions than there are");
  terms.questions.forEach((question, at) => {
    const highest = kindOf(question).highest(question.rule);
    if (marks[at].length !== question.options.length || marks[at].some((mark) => mark > highest)) {
      throw new Malformed(`marks that question ${question.id} does not have`);
    }
  });
}

export const isOverFull = (question, marks) => question.kind === "select" && marks.filter(Boolean).length > question.rule.places;

export const leafHash = (ballot) => sha256(joined(Uint8Array.of(0), ballot));

export const receiptMessage = (terms, leaf) => fields("quanyutong.receipt.v1", terms.district, terms.poll, terms.digest, leaf);

export const verifyEd25519 = async (publicKey, signature, message) => {
  const key = publicKey instanceof CryptoKey ? publicKey : await crypto.subtle.importKey("raw", publicKey, "Ed25519", true, ["verify"]).catch(() => null);
  return key !== null && crypto.subtle.verify("Ed25519", key, signature, message);
};
