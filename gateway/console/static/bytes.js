// Bytes that are the same in every language (docs/voting-protocol.md): length-prefixed fields, and canonical JSON.

export class Malformed extends Error {}

const encoder = new TextEncoder();

export const utf8 = (text) => encoder.encode(text);

export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function fields(...parts) {
  return joined(
    ...parts.flatMap((part) => {
      const raw = typeof part === "string" ? utf8(part) : part;
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, raw.length);
      return [length, raw];
    }),
  );
}

export function split(encoded) {
  const parts = [];
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  for (let at = 0; at < encoded.length; ) {
    if (at + 4 > encoded.length) throw new Malformed(`field ${parts.length + 1} is longer than what is left`);
    const start = at + 4;
    at = start + view.getUint32(at);
    if (at > encoded.length) throw new Malformed(`field ${parts.length + 1} is longer than what is left`);
    parts.push(encoded.subarray(start, at));
  }
  return parts;
}

export function number(value) {
  const raw = new Uint8Array(8);
  new DataView(raw.buffer).setBigUint64(0, BigInt(value));
  return raw;
}

export const hex = (raw) => Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function base64(raw) {
  let text = "";
  for (let at = 0; at < raw.length; at += 8192) text += String.fromCharCode(...raw.subarray(at, at + 8192));
  return btoa(text);
}

// Strict: the only text that these bytes are written as.
export function fromBase64(text, place) {
  let raw;
  try {
    raw = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    throw new Malformed(`${place} is not base64`);
  }
  if (typeof text !== "string" || base64(raw) !== text) throw new Malformed(`${place} is not the base64 of its bytes`);
  return raw;
}

export const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

// Less than 0, 0, or more, as for sorting.
export function compare(one, other) {
  const shorter = Math.min(one.length, other.length);
  for (let at = 0; at < shorter; at++) if (one[at] !== other[at]) return one[at] - other[at];
  return one.length - other.length;
}

export const sha256 = async (raw) => new Uint8Array(await crypto.subtle.digest("SHA-256", raw));

// Members in the order of their names, which are ASCII.
export function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, sorted(value[name])]),
  );
}

// Canonical JSON (RFC 8785) of what `readJson` takes.
export const canonical = (value) => JSON.stringify(sorted(value));

// Reads JSON that is written in one way only, with `indent` or as canonical JSON: no member stands twice, no number has a
// fraction, no member is out of order, since writing it again gives the same text.
export function readJson(text, indent, end = "") {
  let value;
  try {
    value = JSON.parse(text);
  } catch (fault) {
    throw new Malformed(`no JSON that can be read: ${fault.message}`);
  }
  check(value);
  if (JSON.stringify(sorted(value), null, indent) + end !== text) throw new Malformed("not in the form that it is published in");
  return value;
}

function check(value) {
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Malformed("a number that is not whole, or too large");
  if (typeof value === "string" && !value.isWellFormed()) throw new Malformed("half a character of UTF-16");
  if (value === null || typeof value !== "object") return;
  for (const [name, item] of Object.entries(value)) {
    // Digits would be sorted as numbers.
    if (!Array.isArray(value) && !/^[ -~]+$/.test(name)) throw new Malformed("a member's name is not ASCII");
    check(item);
  }
}

// A member of an object, of a type. Raises Malformed.
export function member(value, name, good, place) {
  if (value === null || typeof value !== "object" || !Object.hasOwn(value, name)) throw new Malformed(`${place} has no ${name}`);
  if (!good(value[name])) throw new Malformed(`${place}.${name} is not what it should be`);
  return value[name];
}

export function only(value, names, place) {
  const strangers = Object.keys(value).filter((name) => !names.includes(name));
  if (strangers.length) throw new Malformed(`${place} has members that are not known: ${strangers.join(", ")}`);
}
