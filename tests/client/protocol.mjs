// The protocol again, in another language, from docs/voting-protocol.md alone: it shares no line with the client.
// Reads the document's inputs from standard input and writes what follows from them.
import { createHash, createPrivateKey, createPublicKey, createVerify, constants, hkdfSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const bytes = (hex) => Buffer.from(hex, 'hex');
const sha = (name, ...parts) => createHash(name).update(Buffer.concat(parts)).digest();
const sha256 = (...parts) => sha('sha256', ...parts);
const count = (value) => { const raw = Buffer.alloc(8); raw.writeBigUInt64BE(BigInt(value)); return raw; };
const toNumber = (raw) => BigInt('0x' + raw.toString('hex'));
const toBytes = (value, length) => bytes(value.toString(16).padStart(2 * length, '0'));

function fields(...parts) {
  return Buffer.concat(parts.flatMap((part) => {
    const raw = Buffer.from(part);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(raw.length);
    return [length, raw];
  }));
}

function canonical(value) {
  if (Array.isArray(value)) return '[' + value.map(canonical).join(',') + ']';
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return '{' + Object.keys(value).sort().map((name) => JSON.stringify(name) + ':' + canonical(value[name])).join(',') + '}';
}

// --- numbers

function power(base, exponent, modulus) {
  let result = 1n;
  for (base %= modulus; exponent > 0n; exponent >>= 1n, base = (base * base) % modulus) {
    if (exponent & 1n) result = (result * base) % modulus;
  }
  return result;
}

function inverse(value, modulus) {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (b) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return ((x % modulus) + modulus) % modulus;
}

// --- keys

const ed25519 = (seed) => {
  const der = Buffer.concat([bytes('302e020100300506032b657004220420'), seed]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
};
const publicOf = (key) => Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x, 'base64url');

function rsa(p, q) {
  const [n, e] = [p * q, 65537n];
  const text = (value) => toBytes(value, (value.toString(16).length + 1) >> 1).toString('base64url');
  const key = createPublicKey({ key: { kty: 'RSA', n: text(n), e: text(e) }, format: 'jwk' });
  const length = (n.toString(2).length + 7) >> 3;
  return { n, e, d: inverse(e, (p - 1n) * (q - 1n)), key, length, spki: key.export({ format: 'der', type: 'spki' }) };
}

// --- RFC 8017, section 9.1.1, for a modulus whose length is a multiple of 8 bits

function encodePss(message, salt, length) {
  const hash = sha('sha384', Buffer.alloc(8), sha('sha384', message), salt);
  const block = Buffer.concat([Buffer.alloc(length - salt.length - 50), bytes('01'), salt]);
  for (let at = 0; at < block.length; at += 48) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(at / 48);
    sha('sha384', hash, counter).forEach((mask, offset) => { if (at + offset < block.length) block[at + offset] ^= mask; });
  }
  block[0] &= 0x7f;
  return Buffer.concat([block, hash, bytes('bc')]);
}

// --- a vote

const MARKS = {
  select: (rule, choice, option) => (choice ?? []).includes(option) ? 1 : 0,
  scores: (rule, choice, option) => option in (choice ?? {}) ? choice[option] - rule.score_lowest + 1 : 0,
  motion: (rule, choice, option) => ['for', 'against', 'abstain'].indexOf((choice ?? {})[option]) + 1,
};

function vote(poll, secret, choices) {
  const { terms, digest, signer } = poll;
  const expand = (purpose, length) => Buffer.from(hkdfSync(
    'sha256', secret, '', fields('quanyutong.derive.v1', purpose, terms.district, terms.poll, digest), length));
  const seed = expand('key', 32);
  const [key, prefix, salt] = [ed25519(seed), expand('prefix', 32), expand('salt', 48)];
  const factor = (toNumber(expand('factor', signer.length + 16)) % (signer.n - 1n)) + 1n;

  const message = fields('quanyutong.paper.v1', digest, publicOf(key));
  const encoded = toNumber(encodePss(Buffer.concat([prefix, message]), salt, signer.length));
  const blinded = (encoded * power(factor, signer.e, signer.n)) % signer.n;
  const blindSignature = power(blinded, signer.d, signer.n);
  const paper = toBytes((blindSignature * inverse(factor, signer.n)) % signer.n, signer.length);
  const options = { key: signer.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 };
  if (!createVerify('sha384').update(prefix).update(message).verify(options, paper)) throw new Error('no paper');

  const marks = terms.questions.map((question) => Buffer.from(
    question.options.map((option) => MARKS[question.kind](question.rule, choices[question.id], option.id))));
  const content = fields('quanyutong.ballot.v1', terms.district, terms.poll, digest, publicOf(key), prefix, paper, fields(...marks));
  const ballot = Buffer.concat([content, fields(sign(null, content, key))]);
  const leaf = sha256(bytes('00'), ballot);
  const receipt = fields('quanyutong.receipt.v1', terms.district, terms.poll, digest, leaf);
  const steps = {
    key_seed: seed, public_key: publicOf(key), prefix, salt, factor: toBytes(factor, signer.length), paper_message: message,
    blinded: toBytes(blinded, signer.length), blind_signature: toBytes(blindSignature, signer.length), paper_signature: paper,
    ballot, leaf, receipt_signature: sign(null, receipt, poll.boardKey),
  };
  return { steps, marks, ballot, leaf, key: publicOf(key) };
}

// --- the result, of the kinds that the vectors have

function result(terms, present, papers, ballots) {
  const turnout = { electorate: terms.electorate, present, papers, ballots: ballots.length, void: ballots.length > papers };
  return { turnout, questions: terms.questions.map((question, at) => judged(question, ballots.map((each) => each[at]), turnout)) };
}

function judged(question, ballots, turnout) {
  const { rule, kind } = question;
  const fits = (marks) => kind !== 'select' || marks.filter((mark) => mark).length <= rule.places;
  const valid = ballots.filter(fits);
  const column = (at) => valid.map((marks) => marks[at]).filter((mark) => mark);
  const base = { all_members: turnout.electorate, present: turnout.present, valid: valid.length };
  const needed = rule.majority_base in base ? Math.floor(base[rule.majority_base] / 2) + 1 : 1;
  const votes = question.options.map((option, at) => column(at).length);
  const last = [...votes].sort((a, b) => b - a)[rule.places - 1];
  const options = question.options.map(({ id }, at) => {
    const marks = column(at);
    const having = (mark) => marks.filter((each) => each === mark).length;
    const abstain = valid.length - marks.length;
    if (kind === 'select') {
      return { id, votes: { chosen: votes[at] }, outcome: votes[at] >= Math.max(last, needed) ? 'adopted' : 'not_adopted' };
    }
    if (kind === 'motion') {
      const said = { for: having(1), against: having(2), abstain: having(3) + abstain };
      return { id, votes: said, outcome: said.for >= needed ? 'passed' : 'rejected' };
    }
    const points = marks.reduce((sum, mark) => sum + mark - 1 + rule.score_lowest, 0);
    const scored = { id, votes: { scored: marks.length, points, abstain }, outcome: 'scored' };
    return { ...scored, average: `${points / marks.length}/1` };
  });
  const blank = valid.filter((marks) => marks.every((mark) => !mark)).length;
  const counts = { received: ballots.length, valid: valid.length, invalid: ballots.length - valid.length, blank };
  const adopted = options.filter((option) => option.outcome === 'adopted').length;
  const left = kind === 'select' ? { places_left: Math.max(rule.places - adopted, 0) } : {};
  return { id: question.id, kind, ...counts, options, ...left };
}

// --- the document's vectors

const sorted = (value) => value === null || typeof value !== 'object' ? value
  : Array.isArray(value) ? value.map(sorted)
    : Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]));
const hex = (steps) => Object.fromEntries(Object.entries(steps).map(([name, value]) => [name, value.toString('hex')]));

const inputs = JSON.parse(readFileSync(0, 'utf8'));
const signer = rsa(BigInt('0x' + inputs.p), BigInt('0x' + inputs.q));
const boardKey = ed25519(bytes(inputs.board_seed));
const keys = { paper_key: signer.spki.toString('base64'), board_key: publicOf(boardKey).toString('base64') };
const terms = { ...inputs.terms, ...keys };
const digest = sha256(fields('quanyutong.terms.v1', canonical(terms)));
const votes = inputs.secrets.map((secret, at) => vote({ terms, digest, signer, boardKey }, bytes(secret), inputs.choices[at]));

const ordered = [...votes].sort((a, b) => Buffer.compare(a.key, b.key));
const root = sha256(bytes('01'), ...ordered.map((each) => each.leaf));
const present = votes.length;
const message = fields('quanyutong.root.v1', terms.district, terms.poll, digest, count(present), count(present), count(present), root);
const signature = sign(null, message, boardKey);
const tally = result(terms, present, present, ordered.map((each) => each.marks.map((marks) => [...marks])));
const board = {
  format: 'quanyutong.board.v1', terms, present, papers: present, ballots: ordered.map((each) => each.ballot.toString('base64')),
  root: root.toString('hex'), signature: signature.toString('base64'), tally,
};
const file = JSON.stringify(sorted(board), null, 1) + '\n';

process.stdout.write(JSON.stringify({
  terms: { paper_key: keys.paper_key, digest: digest.toString('hex') },
  first: hex(votes[0].steps),
  second: { leaf: votes[1].leaf.toString('hex') },
  board: { root: root.toString('hex'), signature: signature.toString('hex'), tally, sha256_of_file: sha256(Buffer.from(file)).toString('hex') },
}));
