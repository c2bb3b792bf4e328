// Blind RSA signatures, the client's half (RFC 9474, RSABSSA-SHA384-PSS-Randomized).
//
// The browser's own cryptography hashes and verifies; what it does not have is the multiplication by a random factor.

import { joined } from "./bytes.js";

const HASH_BYTES = 48;
export const PREFIX_BYTES = 32;
export const SALT_BYTES = 48;

const toInteger = (raw) => raw.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

function toBytes(value, length) {
  const raw = new Uint8Array(length);
  for (let at = length - 1; at >= 0; at--, value >>= 8n) raw[at] = Number(value & 255n);
  return raw;
}

// The key for verifying, with its modulus and exponent as integers.
export async function readKey(spki) {
  const key = await crypto.subtle.importKey("spki", spki, { name: "RSA-PSS", hash: "SHA-384" }, true, ["verify"]);
  const { n, e } = await crypto.subtle.exportKey("jwk", key);
  const raw = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const modulus = toInteger(raw(n));
  const bits = modulus.toString(2).length;
  if (toInteger(raw(e)) !== 65537n || bits < 2048 || bits > 4096 || bits % 8) throw new Error("no RSA key for papers");
  return { key, n: modulus, e: 65537n, bits, bytes: bits / 8 };
}

// RFC 9474, section 4.2. `factorBytes`: 16 more than the modulus, so that the remainder is uniform.
export async function blind(key, prepared, salt, factorBytes) {
  const factor = (toInteger(factorBytes) % (key.n - 1n)) + 1n;
  const encoded = toInteger(await encodePss(prepared, salt, key.bits - 1));
  const inverse = inverted(factor, key.n);
  inverted(encoded, key.n);
  return { message: toBytes((encoded * power(factor, key.e, key.n)) % key.n, key.bytes), inverse };
}

// RFC 9474, section 4.4. The signature of the prepared message; null if the signer did not sign it.
export async function finalize(key, prepared, blindSignature, inverse) {
  if (blindSignature.length !== key.bytes) return null;
  const signature = toBytes((toInteger(blindSignature) * inverse) % key.n, key.bytes);
  return (await verifies(key, prepared, signature)) ? signature : null;
}

export const verifies = (key, prepared, signature) =>
  crypto.subtle.verify({ name: "RSA-PSS", saltLength: SALT_BYTES }, key.key, signature, prepared);

const sha384 = async (raw) => new Uint8Array(await crypto.subtle.digest("SHA-384", raw));

// EMSA-PSS-ENCODE (RFC 8017, section 9.1.1) with a given salt: a repeated step has to give the same bytes.
export async function encodePss(message, salt, bits) {
  const length = Math.ceil(bits / 8);
  const digest = await sha384(joined(new Uint8Array(8), await sha384(message), salt));
  const block = joined(new Uint8Array(length - salt.length - HASH_BYTES - 2), Uint8Array.of(1), salt);
  const mask = await generated(digest, block.length);
  const masked = block.map((byte, at) => byte ^ mask[at]);
  masked[0] &= 0xff >> (8 * length - bits);
  return joined(masked, digest, Uint8Array.of(0xbc));
}

// MGF1 (RFC 8017, appendix B.2.1).
async function generated(seed, length) {
  const parts = [];
  for (let counter = 0; counter * HASH_BYTES < length; counter++) {
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, counter);
    parts.push(await sha384(joined(seed, number)));
  }
  return joined(...parts).subarray(0, length);
}

function power(base, exponent, modulus) {
  let result = 1n;
  for (let square = base % modulus; exponent; exponent >>= 1n, square = (square * square) % modulus) {
    if (exponent & 1n) result = (result * square) % modulus;
  }
  return result;
}

// By Euclid's algorithm. Raises where there is none, which would mean that a factor of the modulus was found by chance.
function inverted(value, modulus) {
  let [low, high] = [value % modulus, modulus];
  let [one, other] = [1n, 0n];
  while (low) {
    const quotient = high / low;
    [high, low] = [low, high % low];
    [other, one] = [one, other - quotient * one];
  }
  if (high !== 1n) throw new Error("a number without an inverse");
  return ((other % modulus) + modulus) % modulus;
}
