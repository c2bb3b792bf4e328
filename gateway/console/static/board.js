// Checks a board from the file alone: no server, no clock, no trust in who published it. What is found wrong has the names
// that `qyt ballots verify` gives it.

import { Malformed, canonical, compare, fields, fromBase64, hex, joined, member, number, only, readJson, same, sha256 } from "./bytes.js";
import * as blindrsa from "./blindrsa.js";
import { Terms, checkMarks, decode, leafHash, prepared, receiptMessage, verifyEd25519 } from "./poll-terms.js";
import { tally } from "./tally.js";

const isDigest = (text) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isText = (value) => typeof value === "string";

// What is wrong, the board, the result counted again, and the place of the receipt's ballot (from 1). `progress` hears of
// the share that is done. A file that cannot be read is found UNREADABLE.
export async function verify(text, receiptText = null, progress = () => {}) {
  const found = [];
  const report = { found, board: null, result: null, own: null, ownMarks: null };
  let board;
  let receipt = null;
  try {
    board = await readBoard(text);
    receipt = receiptText === null ? null : readReceipt(receiptText);
  } catch (fault) {
    if (!(fault instanceof Malformed)) throw fault;
    found.push({ finding: "UNREADABLE", detail: fault.message });
    return report;
  }
  report.board = board;
  const { terms } = board;
  const ballots = [];
  const leaves = [];
  const seen = new Set();
  let last = new Uint8Array();
  for (const [at, raw] of board.ballots.entries()) {
    const say = (finding, detail = "", key = "") => tell(found, { finding, detail, ballot: at + 1, key });
    leaves.push(await leafHash(raw));
    if (at % 50 === 0) progress(at / board.ballots.length);
    let ballot;
    try {
      ballot = decode(raw);
      checkMarks(terms, ballot.marks);
    } catch (fault) {
      if (!(fault instanceof Malformed)) throw fault;
      say("BALLOT_MALFORMED", fault.message);
      ballots.push(null);
      continue;
    }
    ballots.push(ballot);
    const key = hex(ballot.paper.publicKey);
    if (ballot.district !== terms.district || ballot.poll !== terms.poll || !same(ballot.digest, terms.digest)) {
      say("BALLOT_OF_OTHER_POLL", "", key);
    }
    const paper = prepared(terms, ballot.paper.publicKey, ballot.paper.prefix);
    if (!(await blindrsa.verifies(terms.paperKey, paper, ballot.paper.signature))) say("PAPER_NOT_SIGNED", "", key);
    if (!(await verifyEd25519(ballot.paper.publicKey, ballot.signature, ballot.content))) say("BALLOT_NOT_SIGNED", "", key);
    if (seen.has(key)) say("KEY_TWICE", "", key);
    else if (compare(ballot.paper.publicKey, last) < 0) say("OUT_OF_ORDER", "", key);
    seen.add(key);
    if (compare(ballot.paper.publicKey, last) > 0) last = ballot.paper.publicKey;
  }
  await checkRoot(board, leaves, found);
  checkNumbers(board, found);
  if (!ballots.includes(null)) {
    report.result = tally(terms, board.present, board.papers, ballots.map((ballot) => ballot.marks));
    const place = difference(board.tally, report.result, "tally");
    if (place) found.push({ finding: "TALLY_DIFFERS", detail: place });
  }
  if (receipt) await checkReceipt(receipt, terms, leaves, report, ballots);
  progress(1);
  return report;
}

async function readBoard(text) {
  const value = readJson(text, 1, "\n");
  const get = (name, good) => member(value, name, good, "board");
  get("format", (format) => format === "quanyutong.board.v1");
  const terms = await Terms.read(get("terms", (given) => given !== null && typeof given === "object"));
  const board = {
    terms,
    present: get("present", isCount),
    papers: get("papers", isCount),
    ballots: get("ballots", Array.isArray).map((ballot, at) => fromBase64(ballot, `ballot ${at + 1}`)),
    root: get("root", isDigest),
    signature: fromBase64(get("signature", isText), "board.signature"),
    tally: get("tally", () => true),
  };
  only(value, ["format", "terms", "present", "papers", "ballots", "root", "signature", "tally"], "board");
  return board;
}

export function readReceipt(text) {
  const value = readJson(text, undefined);
  const get = (name, good) => member(value, name, good, "receipt");
  get("format", (format) => format === "quanyutong.receipt.v1");
  get("district", isText);
  get("poll", isText);
  get("terms", isDigest);
  get("leaf", isDigest);
  const signature = fromBase64(get("signature", isText), "receipt.signature");
  only(value, ["format", "district", "poll", "terms", "leaf", "signature"], "receipt");
  return { ...value, signature };
}

// One for each kind: the first, and how many more there are.
function tell(found, finding) {
  const known = found.find((each) => each.finding === finding.finding);
  if (known) known.others++;
  else found.push({ ...finding, others: 0 });
}

async function checkRoot(board, leaves, found) {
  const root = hex(await merkleRoot(leaves));
  if (root !== board.root) found.push({ finding: "ROOT_DIFFERS", detail: root });
  const { terms } = board;
  const counts = [board.present, board.papers, board.ballots.length].map(number);
  const rootBytes = Uint8Array.from(board.root.match(/../g), (pair) => parseInt(pair, 16));
  const message = fields("quanyutong.root.v1", terms.district, terms.poll, terms.digest, ...counts, rootBytes);
  if (!(await verifyEd25519(terms.boardKey, board.signature, message))) found.push({ finding: "ROOT_NOT_SIGNED" });
}

// RFC 6962, section 2.1, level by level: where a node has no neighbour it goes up as it is, which is the same tree.
async function merkleRoot(leaves) {
  if (!leaves.length) return sha256(new Uint8Array());
  let level = leaves;
  while (level.length > 1) {
    const above = [];
    for (let at = 0; at < level.length; at += 2) {
      above.push(at + 1 < level.length ? await sha256(joined(Uint8Array.of(1), level[at], level[at + 1])) : level[at]);
    }
    level = above;
  }
  return level[0];
}

function checkNumbers(board, found) {
  const most = (finding, number, limit) => number > limit && found.push({ finding, detail: `${number} > ${limit}` });
  most("MORE_BALLOTS_THAN_PAPERS", board.ballots.length, board.papers);
  most("MORE_PAPERS_THAN_ELECTORATE", board.papers, board.terms.electorate);
  most("MORE_PRESENT_THAN_ELECTORATE", board.present, board.terms.electorate);
}

// Where two results differ first; empty where they do not.
function difference(said, counted, place) {
  const both = [said, counted].every((value) => value !== null && typeof value === "object");
  if (both && Array.isArray(said) === Array.isArray(counted) && canonical(Object.keys(said).sort()) === canonical(Object.keys(counted).sort())) {
    const names = Object.keys(counted).sort();
    return names.map((name) => difference(said[name], counted[name], Array.isArray(said) ? `${place}[${name}]` : `${place}.${name}`)).find(Boolean) ?? "";
  }
  return !both && said === counted ? "" : place;
}

async function checkReceipt(receipt, terms, leaves, report, ballots) {
  const { found } = report;
  if (receipt.district !== terms.district || receipt.poll !== terms.poll || receipt.terms !== hex(terms.digest)) {
    found.push({ finding: "RECEIPT_OF_OTHER_POLL" });
    return;
  }
  const leaf = Uint8Array.from(receipt.leaf.match(/../g), (pair) => parseInt(pair, 16));
  if (!(await verifyEd25519(terms.boardKey, receipt.signature, receiptMessage(terms, leaf)))) found.push({ finding: "RECEIPT_NOT_SIGNED" });
  const own = leaves.findIndex((each) => hex(each) === receipt.leaf);
  if (own < 0) {
    found.push({ finding: "RECEIPT_NOT_ON_BOARD" });
    return;
  }
  report.own = own + 1;
  report.ownMarks = ballots[own]?.marks ?? null;
}
